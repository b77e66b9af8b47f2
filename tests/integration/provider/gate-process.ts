// Runs the gate in a process of its own, whose network may be another one: prints what came of it, as JSON.
import { type GateInputs, gate } from "../../../provider/gate";

const inputs = JSON.parse(process.argv[2] ?? "{}") as GateInputs;
void gate
  .create(inputs, { signal: new AbortController().signal, log: () => {} })
  .then(({ outputs }) => outputs)
  .catch((error: Error) => ({ error: error.message }))
  .then((said) => process.stdout.write(JSON.stringify(said)));
