# The watcher's image: the built program, the engine and the Docker provider. `npm run image` gathers the context
# (dist/image) and builds it, with a base of its own where no Docker Hub is in reach.
ARG BASE=docker.io/library/node:24-alpine@sha256:d32cdf619f63fe0471182d08996dd516c6275bb5fd31ae06e55a570bd9e1ad43
FROM ${BASE}
ENV PULUMI_HOME=/opt/pulumi HOME=/tmp XDG_STATE_HOME=/tmp/state
WORKDIR /tagalong
COPY pulumi /opt/pulumi
COPY tagalong ./
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/tagalong/cli/tagalong.mjs"]
