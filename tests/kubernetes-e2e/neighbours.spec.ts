// Environments side by side in one cluster.
import { describeNeighbours } from "../behaviour/neighbours";
import { onKubernetes } from "../kubernetes/engine";

describeNeighbours(onKubernetes);
