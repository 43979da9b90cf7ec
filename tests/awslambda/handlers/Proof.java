import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

public class Proof implements RequestHandler<Map<String, Object>, Map<String, Object>> {
  private static int calls = 0;

  @Override
  public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
    if ("fail".equals(event.get("do"))) {
      throw new IllegalStateException("no");
    }
    if ("exit".equals(event.get("do"))) {
      System.exit(3);
    }
    context.getLogger().log("told\n");
    return Map.of("calls", ++calls, "name", context.getFunctionName(), "memory", context.getMemoryLimitInMB());
  }
}
