#!/bin/sh
# Installs Probity << .Tag >> for one user, without root.
#
#   sh install.sh               install to ~/.local, or to $PREFIX
#   sh install.sh --uninstall   remove from there what was installed
#   curl ... | sh -s -- --uninstall   the same, without a file
#
# This script has the checksums of the archives, so what it downloads is what was released with it,
# wherever it comes from: $PROBITY_DOWNLOADS may be the address of a mirror.
set -eu

version='<< .Version >>'
downloads=${PROBITY_DOWNLOADS:-'<< .Downloads >>'}

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

# choose_archive sets the name of the archive for this machine, and its checksum.
choose_archive() {
  case $(uname -s)/$(uname -m) in
  Linux/x86_64 | Linux/amd64)
    archive='<< .Archive "linux_amd64" >>' sum='<< .SHA256 "linux_amd64" >>' ;;
  Linux/aarch64 | Linux/arm64)
    archive='<< .Archive "linux_arm64" >>' sum='<< .SHA256 "linux_arm64" >>' ;;
  Darwin/x86_64)
    archive='<< .Archive "darwin_amd64" >>' sum='<< .SHA256 "darwin_amd64" >>' ;;
  Darwin/arm64)
    archive='<< .Archive "darwin_arm64" >>' sum='<< .SHA256 "darwin_arm64" >>' ;;
  *) fail "there is no build for $(uname -s) on $(uname -m): with Go, go install github.com/probity-run/probity/cmd/probity@<< .Tag >> may do" ;;
  esac
}

# fetch downloads the address $1 to the file $2.
fetch() {
  if command -v curl >/dev/null; then
    curl -fsSL -o "$2" "$1"
  elif command -v wget >/dev/null; then
    wget -q -O "$2" "$1"
  else
    fail 'neither curl nor wget is there: install one of them'
  fi || fail "cannot download $1: if this machine reaches it by a mirror, set PROBITY_DOWNLOADS to its address"
}

# sha256 prints the checksum of a file.
sha256() {
  if command -v sha256sum >/dev/null; then
    sha256sum "$1"
  elif command -v shasum >/dev/null; then
    shasum -a 256 "$1"
  else
    fail 'neither sha256sum nor shasum is there, so nothing can be verified'
  fi | cut -d ' ' -f 1
}

# put copies the file $1 to $2 in the place of what is there, which may be running.
put() {
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.new"
  mv -f "$2.new" "$2"
}

install_probity() {
  choose_archive
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  fetch "$downloads/$archive" "$work/archive"
  found=$(sha256 "$work/archive")
  [ "$found" = "$sum" ] || fail "$downloads/$archive is not what was released: its SHA-256 is $found, and should be $sum. Nothing was installed"
  tar -xzf "$work/archive" -C "$work"
  cd "$work/probity-$version"
  remove_files # an older version may have had other pages
  for page in man/man1/*.1; do
    put "$page" "$prefix/share/$page"
  done
  put completions/probity.bash "$prefix/share/bash-completion/completions/probity"
  put completions/_probity "$prefix/share/zsh/site-functions/_probity"
  put completions/probity.fish "$prefix/share/fish/vendor_completions.d/probity.fish"
  mkdir -p "$prefix/share/doc/probity"
  cp -R LICENSE licenses sbom.cdx.json "$prefix/share/doc/probity/"
  put probity "$prefix/bin/probity"
  echo "Probity $version is $prefix/bin/probity"
  case :$PATH: in
  *:"$prefix/bin":*) ;;
  *) echo "PATH does not have $prefix/bin: add it, or call the program by its path" ;;
  esac
}

# remove_files removes everything but the program.
remove_files() {
  rm -rf "$prefix/share/doc/probity"
  rm -f "$prefix"/share/man/man1/probity.1 "$prefix"/share/man/man1/probity-*.1 \
    "$prefix/share/bash-completion/completions/probity" "$prefix/share/zsh/site-functions/_probity" \
    "$prefix/share/fish/vendor_completions.d/probity.fish"
}

uninstall_probity() {
  [ -e "$prefix/bin/probity" ] || fail "$prefix/bin/probity is not there: set PREFIX to where it was installed"
  remove_files
  rm -f "$prefix/bin/probity"
  for folder in /share/doc /share/man/man1 /share/man /share/bash-completion/completions /share/bash-completion \
    /share/zsh/site-functions /share/zsh /share/fish/vendor_completions.d /share/fish /share /bin ''; do
    rmdir "$prefix$folder" 2>/dev/null || : # others may have something there
  done
  echo "Probity is no longer in $prefix"
}

# Everything is done by a function that is called last: half a script does nothing.
main() {
  prefix=${PREFIX:-$HOME/.local}
  case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;; # what follows works in other folders
  esac
  case ${1-} in
  '') install_probity ;;
  --uninstall) uninstall_probity ;;
  *) fail "unknown argument $1: it takes none, or --uninstall" ;;
  esac
}

main "$@"
