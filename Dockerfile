# The watcher's image: the built program, Pulumi's engine, and the provider of what the environments run on, docker or
# kubernetes. `npm run image` gathers the context (dist/image-ENGINE) and builds it, with a base of its own where no Docker Hub
# is in reach.
ARG BASE=docker.io/library/node:24-alpine@sha256:d32cdf619f63fe0471182d08996dd516c6275bb5fd31ae06e55a570bd9e1ad43
FROM ${BASE}
ARG ENGINE=docker
ENV PULUMI_HOME=/opt/pulumi HOME=/tmp XDG_STATE_HOME=/tmp/state
WORKDIR /tagalong
COPY pulumi /opt/pulumi
COPY providers/${ENGINE} /opt/pulumi
COPY tagalong ./
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/tagalong/cli/tagalong.mjs"]
