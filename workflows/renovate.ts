// renovate.json of the managed repository: base images by digest, kept up to date. The rendered files are left alone: their
// actions come from the table that they are rendered from, so another commit there would only be drift.

export const renovate = (): Record<string, unknown> => ({
  $schema: "https://docs.renovatebot.com/renovate-schema.json",
  extends: ["config:recommended", "docker:pinDigests"],
  ignorePaths: [
    ".github/tagalong/**",
    ...["check", "image", "release", "promote", "preview"].map((name) => `.github/workflows/${name}.yml`),
  ],
});
