// Environments side by side on one Docker engine.
import assert from "node:assert/strict";
import { describeNeighbours } from "../behaviour/neighbours";
import { docker, localImages, onDocker } from "./harness";

describeNeighbours(onDocker, {
  service: { volumes: { data: "/data" } },
  more: (project, stacks) => {
    it("keep an image that another one runs, however often they roll themselves", async () => {
      const { dev, test } = stacks();
      for (const version of ["3", "4"]) {
        await project.push("app", { version }, "dev");
        await dev.up();
      }
      const { resources } = await test.exportState();
      const image = resources.find(
        ({ type, urn }) => type === "tagalong:index:Image" && urn.endsWith("::test-app"),
      );
      const local = await localImages(project.name);
      assert(local.includes(String(image?.outputs?.["pinned"])), local.join("\n"));
    });
  },
  gone: async ({ name }) => {
    const { Volumes } = await docker.listVolumes();
    const names = Volumes.map((volume) => volume.Name);
    for (const stack of ["dev", "twin", "test"]) assert(names.includes(`${name}-${stack}-data`));
  },
});
