// What an environment promises on Kubernetes.
import { describeEnvironment } from "../behaviour/environment";
import { onKubernetes } from "../kubernetes/engine";

describeEnvironment(onKubernetes);
