#!/bin/sh
# Starts the S3 server with keys from files: it takes them from its environment, and no setting of the container shall hold them.
set -eu
ROOT_ACCESS_KEY=$(cat /run/secrets/s3-access-key)
ROOT_SECRET_KEY=$(cat /run/secrets/s3-secret-key)
export ROOT_ACCESS_KEY ROOT_SECRET_KEY
exec /usr/local/bin/docker-entrypoint.sh "$@"
