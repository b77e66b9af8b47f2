// The watcher on a good day, on a Docker engine.
import { describeLockstep } from "../behaviour/lockstep";
import { onDocker } from "./harness";

describeLockstep(onDocker);
