// `tagalong completion bash|zsh|fish`, and `tagalong complete`, which the scripts ask at each Tab.
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import type { Command } from "commander";
import { candidates, folders } from "./candidates";
import { type ExitCode, exitCodes } from "./failure";
import { environmentsIn, releasesIn } from "./stackNames";

/** What a shell is told where it should offer folders. */
const foldersLine = ":folders";
const gitTagsMs = 500;

export function completion(shell: string): ExitCode {
  const script = scripts[shell];
  if (!script) throw new Error(`no script for ${shell}`);
  process.stdout.write(script([process.execPath, resolve(process.argv[1] ?? "")]));
  return exitCodes.ok;
}

export function complete(root: Command, words: readonly string[]): ExitCode {
  const found = candidates(root, words, {
    environment: environmentsIn,
    release: (folder) => [...new Set([...releasesIn(folder), ...versionTags(folder)])],
    what: (folder) => [...environmentsIn(folder), ...releasesIn(folder)],
  });
  const lines =
    found === folders ? [foldersLine] : found.map(({ value, description }) => `${value}\t${description}`);
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
  return exitCodes.ok;
}

/** The project's own version tags, newest first: what is at hand without asking anybody. */
function versionTags(folder: string): string[] {
  try {
    const list = ["-C", folder, "tag", "--list", "--sort=-creatordate", "[v0-9]*"];
    const text = execFileSync("git", list, {
      encoding: "utf8",
      timeout: gitTagsMs,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text
      .split("\n")
      .filter((tag) => /^v?\d+\.\d+\.\d+/.test(tag))
      .slice(0, 50);
  } catch {
    return []; // no Git, or no repository
  }
}

/** For a POSIX shell and fish alike: a backslash stands for itself in the one, and paths have none. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;
const asked = (program: readonly string[]): string => `${program.map(quoted).join(" ")} complete --`;

type Script = (program: readonly string[]) => string;

const scripts: Readonly<Record<string, Script>> = {
  // The words are read from the line: bash's own are split at ":" and "=" as well, which digests have in them.
  bash: (program) => `# bash completion of tagalong
_tagalong() {
  local line="\${COMP_LINE:0:COMP_POINT}" found word part value
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word="\${words[\${#words[@]}-1]}"
  part="\${word##*[=:]}"
  found="$(${asked(program)} "\${words[@]:1}" 2>/dev/null)"
  COMPREPLY=()
  if [[ $found == ${foldersLine} ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$word")
    return
  fi
  while IFS=$'\\t' read -r value _; do
    [[ -n $value ]] && COMPREPLY+=("\${value:\${#word}-\${#part}}")
  done <<<"$found"
}
complete -F _tagalong tagalong
`,
  zsh: (program) => `#compdef tagalong
_tagalong() {
  local -a lines described
  local line
  lines=("\${(@f)$(${asked(program)} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == ${foldersLine} ]]; then
    _files -/
    return
  fi
  for line in $lines; do
    [[ -n $line ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -V tagalong described
}
if [[ $funcstack[1] == _tagalong ]]; then _tagalong "$@"; else compdef _tagalong tagalong; fi
`,
  fish: (program) => `# fish completion of tagalong
function __tagalong_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (${asked(program)} $words[2..-1] 2>/dev/null)
    if test "$found" = ${foldersLine}
        __fish_complete_directories (commandline -ct)
    else
        printf '%s\\n' $found
    end
end
complete -c tagalong -f -a '(__tagalong_complete)'
`,
};
