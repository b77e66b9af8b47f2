import { type ExitCode, exitCodes } from "./failure";
export const status = (): ExitCode => exitCodes.ok;
