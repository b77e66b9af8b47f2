#!/bin/sh
# Builds the shop's images and tags them like CI does. All images of a commit move together or not at all:
# every image is built before any is pushed, and every sha-<commit> is pushed before any moving tag moves.
set -eu

usage() {
  cat <<'USAGE'
Usage: docker-build.sh [options] [server|client]...

Builds the named images (default: all) for this machine's architecture and tags each sha-<40 hex commit>.

  --tag TAG         one more tag, such as dev; may be repeated
  --registry NAME   where the images belong, such as ghcr.io/acme/shop
                    (default: $SHOP_REGISTRY, or localhost:5000/shop)
  --push            push every sha tag, then move the other tags of all images
  --version X.Y.Z   the version that the images say they are (default: 0.0.0); not a tag, add --tag for that
  --base IMAGE      the base image: node and a shell (default: $SHOP_BASE, or the Dockerfile's)
  --commit HEX      the commit, 40 hex digits (default: HEAD of this folder's repository; where files
                    have changed since, a warning says so, and the version ends in -dirty)
  --broken KIND     for demonstrations and tests only: build images that are
                    unhealthy (never ready), exit (fail at start) or slow (ready after 90 s)
  --json            print one JSON document on standard output: {"images": {NAME: {reference, digest, tags}}}
  --help            this text

Progress goes to standard error. Needs git (unless --commit) and Docker 20.10 or later.
USAGE
}

say() { printf '%s\n' "$*" >&2; }
warn() { say "warning: $*"; }
die() {
  say "error: $1"
  shift
  for hint in "$@"; do say "       $hint"; done
  exit 1
}

matches() { printf '%s\n' "$1" | LC_ALL=C grep -Eqx -e "$2"; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
registry=${SHOP_REGISTRY:-localhost:5000/shop}
base=${SHOP_BASE:-}
version=0.0.0
commit=
broken=
moving=
images=
push=no
json=no

while [ $# -gt 0 ]; do
  option=$1
  value=
  case $option in
    --tag | --registry | --version | --base | --commit | --broken)
      [ $# -ge 2 ] || die "$option needs a value" "see docker-build.sh --help"
      value=$2
      shift
      ;;
    --*=*)
      value=${option#*=}
      option=${option%%=*}
      ;;
  esac
  shift
  case $option in
    --tag)
      matches "$value" '[A-Za-z0-9_][A-Za-z0-9._-]{0,127}' ||
        die "--tag: '$value' is not a tag" "a tag has letters, digits, dots, dashes and underscores only, 128 at most"
      case " $moving " in *" $value "*) ;; *) moving="$moving $value" ;; esac
      ;;
    --registry) registry=${value%/} ;;
    --version) version=$value ;;
    --base) base=$value ;;
    --commit) commit=$value ;;
    --broken) broken=$value ;;
    --push) push=yes ;;
    --json) json=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    server | client)
      case " $images " in *" $option "*) ;; *) images="$images $option" ;; esac
      ;;
    -*) die "unknown option $option" "see docker-build.sh --help" ;;
    *) die "there is no image '$option'" "the images are server and client" ;;
  esac
done

images=${images:- server client}
matches "$registry" '[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+' ||
  die "--registry: '$registry' is not a registry and a path, in lower case" "for example --registry ghcr.io/acme/shop"
matches "$version" '[0-9A-Za-z][0-9A-Za-z.+_-]*' || die "--version: '$version' is not a version" "for example --version 1.4.2"
case $broken in
  '' | unhealthy | exit | slow) ;;
  *) die "--broken: there is no kind '$broken'" "the kinds are unhealthy, exit and slow" ;;
esac

created=$(date -u +%Y-%m-%dT%H:%M:%SZ)
if [ -n "$commit" ]; then
  matches "$commit" '[0-9a-f]{40}' || die "--commit: '$commit' is not a commit" "give all 40 hex digits: git rev-parse HEAD"
else
  commit=$(git -C "$here" rev-parse --verify --quiet HEAD 2>/dev/null) ||
    die "no commit to name the images after: this folder is in no Git repository, or in an empty one" \
      "commit once, or name a commit: --commit \$(git rev-parse HEAD)"
  matches "$commit" '[0-9a-f]{40}' || die "the repository's commits are not SHA-1: $commit" "name one: --commit HEX"
  if [ -n "$(git -C "$here" status --porcelain -- .)" ]; then
    warn "there are changes that are not committed: sha-$commit will hold more than that commit"
    version=$version-dirty
  fi
fi

# Where the sources are: GHCR links a package to its repository by this label.
source_url() {
  if [ -n "${GITHUB_REPOSITORY:-}" ]; then
    printf '%s\n' "${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY"
  else
    # Only what a browser could open, and never the credentials that a remote may carry.
    git -C "$here" config --get remote.origin.url 2>/dev/null |
      sed -nE -e 's#^(ssh://)?git@([^:/]+)[:/](.+)$#https://\2/\3#' -e 's#^(https?://)[^/@]*@#\1#' \
        -e 's#\.git$##' -e '/^https?:/p'
  fi
}

command -v docker >/dev/null 2>&1 ||
  die "docker is not installed" "install Docker 20.10 or later: https://docs.docker.com/engine/install/"
engine=$(docker version --format '{{.Server.Version}}' 2>&1) ||
  die "the Docker engine does not answer${DOCKER_HOST:+ at $DOCKER_HOST}: $(printf '%s' "$engine" | tail -n 1)" \
    "start it (systemctl start docker, or Docker Desktop), and check that you may use it: docker version"

base_name=${base:-$(sed -n 's/^ARG BASE=//p' "$here/server/Dockerfile")}
if ! docker image inspect "$base_name" >/dev/null 2>&1; then
  say "base    pulling $base_name"
  reason=$(docker pull --quiet "$base_name" 2>&1) ||
    die "the base image $base_name is out of reach: $(printf '%s' "$reason" | tail -n 1)" \
      "name one that has node and a shell: --base IMAGE (or SHOP_BASE=IMAGE)"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a docker command, and shows what it printed only if it failed.
quietly() {
  docker "$@" >"$log" 2>&1 && return
  tail -n 60 "$log" | sed 's/^/  | /' >&2
  return 1
}

# Pushes one tag, and leaves the digest that the registry now has for it in $pushed.
push_tag() {
  quietly push "$1" || return
  pushed=$(sed -nE 's/^.*digest: (sha256:[0-9a-f]{64}) .*$/\1/p' "$log" | tail -n 1)
  [ -n "$pushed" ] || die "docker push did not say the digest of $1"
}

# "server=sha256:… client=sha256:…", filled by the push.
digests=
digest_of() {
  for entry in $digests; do
    case $entry in "$1="*) printf '%s' "${entry#*=}" ;; esac
  done
}

say "shop    $version at $commit, engine $engine, base $base_name${broken:+, built to be $broken}"

# One plain manifest an image, whichever builder: an attestation would wrap it in an index.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
source=$(source_url)
for image in $images; do
  started=$(date +%s)
  set -- --file "$here/$image/Dockerfile" --tag "$registry/$image:sha-$commit" --network none \
    --build-arg "VERSION=$version" --build-arg "REVISION=$commit" --build-arg "CREATED=$created"
  [ -z "$base" ] || set -- "$@" --build-arg "BASE=$base"
  [ -z "$source" ] || set -- "$@" --build-arg "SOURCE=$source"
  [ -z "$broken" ] || set -- "$@" --build-arg "BROKEN=$broken"
  quietly build "$@" "$here" ||
    die "$image was not built; nothing was pushed" "its last lines are above"
  bytes=$(docker image inspect --format '{{.Size}}' "$registry/$image:sha-$commit")
  say "$image  built $registry/$image:sha-$commit, $((bytes / 1000000)) MB, $(($(date +%s) - started)) s"
done

for image in $images; do
  for tag in $moving; do docker tag "$registry/$image:sha-$commit" "$registry/$image:$tag"; done
done

if [ "$push" = yes ]; then
  for image in $images; do
    push_tag "$registry/$image:sha-$commit" ||
      die "$image was not pushed; no moving tag was moved" \
        "is the registry there, and are you logged in? docker login ${registry%%/*}"
    digests="$digests $image=$pushed"
    say "$image  pushed $pushed"
  done
  for tag in $moving; do
    for image in $images; do
      { push_tag "$registry/$image:$tag" && [ "$pushed" = "$(digest_of "$image")" ]; } ||
        die "$image:$tag was not moved to $(digest_of "$image"), and the other images may have moved already" \
          "run the same command again: it moves $tag of all images"
    done
    say "$tag  moved on$images"
  done
fi

if [ "$json" = yes ]; then
  printf '{"images":{'
  comma=
  for image in $images; do
    digest=$(digest_of "$image")
    tags="\"sha-$commit\""
    for tag in $moving; do tags="$tags,\"$tag\""; done
    if [ -n "$digest" ]; then
      where="\"reference\":\"$registry/$image@$digest\",\"digest\":\"$digest\""
    else
      where="\"reference\":\"$registry/$image:sha-$commit\",\"digest\":null"
    fi
    printf '%s"%s":{%s,"tags":[%s]}' "$comma" "$image" "$where" "$tags"
    comma=,
  done
  printf '}}\n'
fi
