#!/bin/sh
# Runs once, inside the container of the database, when its volume is empty: the role and the database of the gateways. The role owns its
# database and nothing else; the one that made it is for operators.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$(cat "${DATABASE_PASSWORD_FILE:-/run/secrets/database-password}")" \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE safelight LOGIN PASSWORD :'password';
CREATE DATABASE safelight OWNER safelight ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE safelight FROM PUBLIC;
SQL
