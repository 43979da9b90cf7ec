// A custom runtime made with AWS's own client: github.com/aws/aws-lambda-go.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do string `json:"do"`
}

func handle(ctx context.Context, given event) (map[string]any, error) {
	switch given.Do {
	case "error":
		return nil, errors.New("asked for")
	case "panic":
		panic("asked for")
	case "exit":
		os.Exit(7)
	case "sleep":
		time.Sleep(time.Minute)
	}
	about, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"arn":  about.InvokedFunctionArn,
		"left": time.Until(deadline).Milliseconds(),
		"name": lambdacontext.FunctionName,
	}, nil
}

func main() { lambda.Start(handle) }
