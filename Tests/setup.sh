# Sets up what the package's commands need. Sourced by Examples/run, Tests/run and Benchmarks/run.
# Everything is looked for first, so that a second run costs nothing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { echo "==> $*" >&2; }
fail() {
  echo "$(basename "$(dirname "$0")")/$(basename "$0"): $*" >&2
  exit 1
}

# Runs a command and says how long it took: timed NAME COMMAND...
timed() {
  local name=$1 begin=$SECONDS status=0
  shift
  "$@" || status=$?
  say "$name: $((SECONDS - begin)) s$([ $status = 0 ] || echo ", failed")"
  return $status
}

# The compiler is never installed by these scripts: which one to take is its user's choice.
need_compiler() {
  command -v swift >/dev/null ||
    fail "no Swift compiler found. Install Swift 6.2 or later (swift.org/install), then run this again."
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -1)
  if [[ -n $version && ( ${version%%.*} -lt 6 || $version == 6.0 || $version == 6.1 ) ]]; then
    fail "Swift $version is too old. Install Swift 6.2 or later (swift.org/install), then run this again."
  fi
}

# Runs a command as root where this user may become it without being asked, or can be asked.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    return 1
  fi
}

# Installs distribution packages: install_packages "APT NAMES" "BREW NAMES". False where it may not, or cannot.
install_packages() {
  if command -v apt-get >/dev/null; then
    say "installing" $1
    # The list of packages may be missing or old: it is fetched only where that stands in the way.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1 >/dev/null 2>&1 ||
      { as_root apt-get update -qq >&2 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1 >&2; }
  elif command -v brew >/dev/null; then
    say "installing" $2
    brew install --quiet $2 >&2
  else
    return 1
  fi
}

need_libraries() {
  local apt="" brew="" remedy
  command -v pkg-config >/dev/null || { apt+=" pkg-config" brew+=" pkgconf"; }
  pkg-config --exists zlib 2>/dev/null || { apt+=" zlib1g-dev" brew+=" zlib"; }
  pkg-config --exists libzstd 2>/dev/null || { apt+=" libzstd-dev" brew+=" zstd"; }
  pkg-config --exists libcurl 2>/dev/null || { apt+=" libcurl4-openssl-dev" brew+=" curl"; }
  ldconfig -p 2>/dev/null | grep libcrypto.so.3 >/dev/null || [ -d /opt/homebrew/opt/openssl@3 ] ||
    [ -d /usr/local/opt/openssl@3 ] || { apt+=" libssl3" brew+=" openssl@3"; }
  [ -n "$apt" ] || return 0
  remedy="apt-get install$apt"
  command -v apt-get >/dev/null || remedy="brew install$brew, or zlib, libzstd, libcurl, libcrypto and pkg-config as your system names them"
  install_packages "$apt" "$brew" || fail "could not install what is missing. As root: $remedy; then run this again."
}

need_build_tools() {
  need_compiler
  need_libraries
}

# Prepares the virtual environment .build/NAME, or in another folder, with the pins of the section [NAME] of
# Tests/Foreign/requirements.txt, or another file: python_environment NAME [FOLDER FILE]. A stamp keeps what it
# was made from. False, with a line, where it cannot.
python_environment() {
  local name=$1 folder="${2:-$root/.build/$1}" file="${3:-$root/Tests/Foreign/requirements.txt}" pins stamp
  pins=$(awk -v want="# [$name]" '/^# \[/ { on = index($0, want) == 1 } on && /^[^#]/' "$file")
  # Debian keeps the module that makes environments in a package of its own.
  python3 -c 'import venv, ensurepip' 2>/dev/null || install_packages "python3 python3-venv" python3 || true
  python3 -c 'import venv, ensurepip' 2>/dev/null || {
    say "no Python 3 with venv: what needs the packages of ${folder#"$root/"} is left out"
    return 1
  }
  stamp="$(python3 --version) $(command -v python3)"$'\n'"$pins"
  if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
  say "preparing ${folder#"$root/"}:" $pins
  rm -rf "$folder" && mkdir -p "$(dirname "$folder")" && python3 -m venv "$folder" &&
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 2 --timeout 60 $pins >&2 &&
    echo "$stamp" >"$folder/stamp" || {
    rm -rf "$folder"
    say "could not install" $pins "(is a package registry within reach?): what needs them is left out"
    return 1
  }
}

# The folder of Hudi bundles for Spark, where there is one.
spark_bundles() {
  local folder=${HUDI_SPARK_BUNDLES:-$root/../shared/spark}
  ls "$folder"/hudi-spark3.5-bundle_2.12-*.jar >/dev/null 2>&1 && (cd "$folder" && pwd)
}

has_java() { "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version >/dev/null 2>&1; }

# Starts the S3 server that tests use, or one in a folder that is given, and sets the variables by which it is found.
# False, with a line, where it cannot.
need_s3_server() {
  local lines
  if ! command -v radosgw >/dev/null || ! command -v ceph-mon >/dev/null || ! command -v ceph-osd >/dev/null; then
    # Only Debian and its kin have it in packages.
    command -v apt-get >/dev/null && install_packages "radosgw ceph-mon ceph-osd" "" || {
      say "the packages radosgw, ceph-mon and ceph-osd cannot be installed: tests with a real S3 server skip"
      return 1
    }
  fi
  lines=$("$root/Tests/s3-server" start "$@") || {
    say "the S3 server does not start: tests with it skip"
    return 1
  }
  eval "$lines"
}

# Prepares what the foreign engines need. False where something lacks; each lack is said.
need_foreign_engines() {
  local complete=0
  timed "Python readers" python_environment python || complete=1
  timed "ClickHouse" python_environment clickhouse || complete=1
  timed "DynamoDB emulator" python_environment emulator || complete=1
  if ! has_java; then
    say "no Java found: tests with Spark skip"
    complete=1
  elif ! spark_bundles >/dev/null; then
    say "no Hudi bundles for Spark (a folder named by HUDI_SPARK_BUNDLES): tests with Spark skip"
    complete=1
  else
    timed "Spark" python_environment spark || complete=1
  fi
  return $complete
}
