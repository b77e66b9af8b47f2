import { type ExitCode, exitCodes } from "./failure";
export const override = (): ExitCode => exitCodes.ok;
