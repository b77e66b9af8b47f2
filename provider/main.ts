// The provider's process, as the engine starts it: `pulumi-resource-tagalong ENGINE_ADDRESS`.
// It prints its port and serves until the engine ends it, or is gone: an engine that was killed leaves nobody at work.
import { version } from "../package.json";
import { handlers } from "./handlers";
import { serve } from "./server";
import { joinSession } from "./session";

const orphanCheckMs = 500;

async function main(): Promise<void> {
  const engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
  const { port, stop } = await serve({
    handlers,
    version,
    engineAddress,
    onConfigure: ({ session }) => joinSession(typeof session === "string" ? session : ""),
  });
  process.stdout.write(`${port}\n`);

  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid === parent) return;
    stop();
    process.exit(1);
  }, orphanCheckMs).unref();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
