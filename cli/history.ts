import { type ExitCode, exitCodes } from "./failure";
export const history = (): ExitCode => exitCodes.ok;
