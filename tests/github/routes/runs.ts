// Jobs of workflow runs and their logs, as a runner reports them.
import { notFound, paged, type Route } from "../world";

/** What a runner says of a job that has ended. */
export interface EndedJob {
  name: string;
  conclusion: "success" | "failure";
  /** Lines as a run's page has them. */
  log: readonly string[];
}

interface Job extends EndedJob {
  id: number;
  completedAt: string;
}

const actions = "/repos/{owner}/{repo}/actions";

export class Runs {
  /** Of the one run that there is at a time. */
  readonly jobs: Job[] = [];
  #ids = 2_000_000;

  report(job: EndedJob): void {
    const completedAt = new Date().toISOString();
    this.jobs.push({ ...job, id: ++this.#ids, completedAt });
  }

  readonly routes: Route[] = [
    {
      method: "GET",
      path: `${actions}/runs/{run_id}/attempts/{attempt_number}/jobs`,
      needs: ["actions", "read"],
      handle: (call) => {
        const url = `${call.world.repositoryUrl(call.repository)}/actions`;
        const run = Number(call.parameters["run_id"]);
        const { body, ...answer } = paged(
          call,
          `${url}/runs/${run}/attempts/1/jobs`,
          this.jobs.map((job) => shown(job, run, url)),
        );
        return { ...answer, body: { total_count: this.jobs.length, jobs: body } };
      },
    },
    {
      method: "GET",
      path: `${actions}/jobs/{job_id}/logs`,
      needs: ["actions", "read"],
      handle: ({ parameters, world }) => {
        const job = this.jobs.find(({ id }) => String(id) === parameters["job_id"]);
        return job
          ? { status: 302, headers: { location: `${world.url}${logsFolder}${job.id}` } }
          : notFound();
      },
    },
  ];

  /** The text that a log's page leads to, which is no part of the API; undefined where there is none. */
  logAt(path: string): string | undefined {
    const job = this.jobs.find(({ id }) => path === `${logsFolder}${id}`);
    return job?.log.map((line) => `${job.completedAt} ${line}\n`).join("");
  }
}

const logsFolder = "/logs/";

function shown({ id, name, conclusion, completedAt }: Job, run: number, actionsUrl: string) {
  const html = actionsUrl.replace("/repos/", "/");
  return {
    id,
    run_id: run,
    run_url: `${actionsUrl}/runs/${run}`,
    run_attempt: 1,
    node_id: `CR_${id}`,
    head_sha: "0".repeat(40),
    head_branch: "main",
    workflow_name: "Image",
    url: `${actionsUrl}/jobs/${id}`,
    html_url: `${html}/runs/${run}/job/${id}`,
    check_run_url: `${actionsUrl.replace("/actions", "/check-runs")}/${id}`,
    status: "completed",
    conclusion,
    created_at: completedAt,
    started_at: completedAt,
    completed_at: completedAt,
    name,
    steps: [],
    labels: ["ubuntu-24.04"],
    runner_id: 1,
    runner_name: "here",
    runner_group_id: 1,
    runner_group_name: "Default",
  };
}
