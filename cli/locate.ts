import { type ExitCode, exitCodes } from "./failure";
export const locate = (): ExitCode => exitCodes.ok;
