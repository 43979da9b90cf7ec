// hello.py once more, for Node.js.
exports.handler = async (event) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ hello: event.requestContext.http.path }),
});
