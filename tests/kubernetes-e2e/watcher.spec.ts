// The watcher on a good day, on Kubernetes.
import { describeLockstep } from "../behaviour/lockstep";
import { onKubernetes } from "../kubernetes/engine";

describeLockstep(onKubernetes);
