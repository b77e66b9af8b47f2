// `tagalong history`: the receipts of an environment, newest first.
import { liveAt, startedAt } from "../rollout/past";
import { type Hop, hops, type Receipt } from "../rollout/record";
import { CommandError, type ExitCode, exitCodes } from "./failure";
import { json, type Output, outputTo, paragraph, type Style } from "./output";
import { Project } from "./project";
import { shortDigest } from "./standing";
import { moment, seconds } from "./times";

interface HistoryOptions {
  cwd: string;
  number: string;
  json?: boolean;
}

export async function history(
  name: string,
  options: HistoryOptions,
  output: Output = outputTo(),
): Promise<ExitCode> {
  if (!/^[1-9]\d{0,5}$/.test(options.number)) {
    throw new CommandError(
      `"${options.number}" is no number of rolls: write one such as 20`,
      exitCodes.usage,
    );
  }
  return Project.with(options.cwd, async (project) => {
    const { ledger } = project.environment(name);
    const receipts = (await ledger.receipts()).slice(0, Number(options.number));
    const told = receipts.map((receipt) => ({ ...receipt, durations: durations(receipt) }));
    if (options.json) output.write(json({ environment: name, receipts: told }));
    else if (receipts.length === 0) output.write(`${name} has no receipt of a roll yet\n`);
    else output.write(receipts.map((receipt) => block(receipt, output)).join("\n"));
    return exitCodes.ok;
  });
}

/** Milliseconds that each step took, from the one before it that was reached. */
export function durations({ hops: times }: Receipt): Partial<Record<Hop, number>> {
  const reached = hops.flatMap((hop) => {
    const at = Date.parse(times[hop] ?? "");
    return Number.isNaN(at) ? [] : [{ hop, at }];
  });
  const steps = reached
    .slice(1)
    .map(({ hop, at }, index) => [hop, Math.max(0, at - (reached[index]?.at ?? at))]);
  return Object.fromEntries(steps);
}

const styles: Readonly<Record<Receipt["outcome"], Style | undefined>> = {
  rolling: "cyan",
  live: "cyan",
  healthy: "green",
  rejected: "red",
  failed: "red",
  cancelled: "yellow",
};

const triggers: Readonly<Record<Receipt["trigger"], string>> = {
  tag: "the tag moved",
  config: "the config was edited",
  return: "back after a failure",
  repair: "repair",
};

function block(receipt: Receipt, output: Output): string {
  const { outcome, by, via, trigger, release, configRevision, images, reason } = receipt;
  const begun = startedAt(receipt);
  const head = [
    moment(begun),
    output.paint(styles[outcome], outcome),
    release ?? "",
    `${via} of ${by}`,
    triggers[trigger],
  ];
  const names = Object.keys(images).map((name) => name.length);
  const rolled = Object.entries(images).map(([image, one]) => {
    const from = one.from === undefined ? "first" : shortDigest(one.from);
    const to = `${shortDigest(one.to)}${one.version ? ` ${one.version}` : ""}`;
    const commit = one.revision ? ` (${one.revision.slice(0, 7)})` : "";
    return `${image.padEnd(Math.max(...names))}  ${one.from === one.to ? `stays ${to}` : `${from} → ${to}${commit}`}`;
  });
  const times = Object.entries(durations(receipt)).map(([hop, ms]) => `${hop} ${seconds(ms)}`);
  const total = Date.parse(liveAt(receipt)) - Date.parse(begun);
  const live = receipt.hops.switched === undefined ? [] : [`live after ${seconds(total)}`];
  return [
    `${head.filter((text) => text !== "").join("  ")}\n`,
    ...rolled.map((line) => paragraph(line, output, 2)),
    ...(times.length > 0 ? [paragraph([...times, ...live].join(", "), output, 2, "dim")] : []),
    ...(configRevision ? [paragraph(`config at ${configRevision.slice(0, 7)}`, output, 2, "dim")] : []),
    ...(reason ? [paragraph(reason, output, 2, styles[outcome])] : []),
  ].join("");
}
