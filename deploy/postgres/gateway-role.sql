-- A role for the gateways of an installation, which can use the database and cannot rewrite its past: of the audit log it may read and add
-- rows, nothing else. What rows are removed at the end of their retention, the database removes by itself, where a signed checkpoint
-- stands for them.
--
-- Run it as the owner of the tables, once and after every release that adds some:
--
--     psql "$OWNER_URL" --set role=safelight_gateway --file deploy/postgres/gateway-role.sql
--     psql "$OWNER_URL" --command '\password safelight_gateway'
--
-- and give the gateways the address of this role. They cannot change the schema then: start a new release once with the owner's address.

SELECT format('CREATE ROLE %I LOGIN', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec

GRANT USAGE ON SCHEMA public TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"role";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO :"role";

REVOKE UPDATE, DELETE ON audit_events, audit_checkpoints FROM :"role";
REVOKE INSERT, UPDATE, DELETE ON audit_head, migrations FROM :"role";
REVOKE UPDATE ON audit_pruning FROM :"role";
