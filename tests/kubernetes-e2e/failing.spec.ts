// Candidates that fail on Kubernetes.
import { describeFailing } from "../behaviour/failing";
import { onKubernetes } from "../kubernetes/engine";

describeFailing(onKubernetes, {
  noCommand: /executable file not found|no such file or directory/,
  unpullable: /service app: .* (not found|could not be pulled)/,
});
