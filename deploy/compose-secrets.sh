#!/bin/sh
# Makes the secrets that deploy/compose.yaml and its two gateways share: sudo sh deploy/compose-secrets.sh
# What is there stays as it is, so that running it again changes nothing. With podman as an ordinary user:
#   podman unshare sh deploy/compose-secrets.sh
# The folder is deploy/secrets, or the one that is named. Keep a copy where your other secrets are, and none beside the backups.
set -eu
umask 077
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=${1:-$here/secrets}

# Users of the containers. Each file belongs to the one that reads it, and nobody else can.
gateway=10001
database=999
storage=10002
if [ "$(id -u)" != 0 ]; then
  echo "The files must belong to the users of the containers, so that this needs root (or: podman unshare sh $0)." >&2
  exit 1
fi
mkdir -p "$folder"
# Passed through by container engines of other users; the names in it are no secret.
chmod 711 "$folder"

before=$(find "$folder" -type f | wc -l)
# keep OWNER NAME: the content comes from standard input, unless the file is there.
keep() {
  if [ ! -s "$folder/$2" ]; then
    cat > "$folder/$2.new"
    test -s "$folder/$2.new"
    mv "$folder/$2.new" "$folder/$2"
  fi
  chown "$1:$1" "$folder/$2"
  chmod 400 "$folder/$2"
}
hex() { openssl rand -hex "$1"; }
text() { cat "$folder/$1"; }

hex 32 | keep $gateway api-key
hex 32 | keep $gateway admin-key
openssl rand -base64 32 | keep $gateway encryption-key
hex 32 | keep $gateway session-secret
openssl genpkey -algorithm ed25519 -outform DER | openssl base64 -A | keep $gateway audit-key
hex 16 | keep $gateway access-password
hex 32 | keep $gateway worker-key

hex 32 | keep $database database-admin-password
hex 32 | keep $database database-password
printf 'postgres://safelight:%s@database:5432/safelight\n' "$(text database-password)" | keep $gateway database-url

hex 10 | keep $storage s3-access-key
hex 32 | keep $storage s3-secret-key
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$(text s3-access-key)" "$(text s3-secret-key)" |
  keep $gateway s3-credentials

made=$(($(find "$folder" -type f | wc -l) - before))
echo "Made $made of 13 secrets in $folder; what was there before was left as it was."
