create table import_uploads (
  id text not null primary key,
  name text not null,
  size bigint not null,
  file_key text not null,
  info text not null,
  columns text not null,
  suggestion text not null,
  created_by_id text not null,
  created_at bigint not null
);
create index import_uploads_created on import_uploads (created_at);

create table imports (
  id text not null primary key,
  kind text not null,
  name text not null,
  name_key text not null,
  file text not null,
  upload_id text not null,
  state text not null,
  job_id text not null,
  undo_job_id text not null,
  mapping text not null,
  options text not null,
  columns text not null,
  language text not null,
  rows_read bigint not null,
  rows_total bigint not null,
  accepted bigint not null,
  rejected bigint not null,
  contacts_created bigint not null,
  contacts_updated bigint not null,
  orders bigint not null,
  facts bigint not null,
  bytes_done bigint not null,
  bytes_total bigint not null,
  last_seq bigint not null,
  error text not null,
  reasons text not null,
  created_by_id text not null,
  created_by_name text not null,
  created_at bigint not null,
  started_at bigint not null,
  finished_at bigint not null,
  undone_at bigint not null
);
create index imports_created on imports (created_at, id);

-- Rejected rows, a batch of them at a time: gzipped JSON lines.
create table import_rejects (
  import_id text not null,
  line bigint not null,
  count bigint not null,
-- +sqlite
  body blob not null,
-- +end
-- +postgres
  body bytea not null,
-- +end
  primary key (import_id, line)
);

create table import_mappings (
  id text not null primary key,
  name text not null,
  kind text not null,
  fingerprint text not null,
  mapping text not null,
  options text not null,
  created_at bigint not null,
  used_at bigint not null
);
create unique index import_mappings_name on import_mappings (kind, name);
create index import_mappings_fingerprint on import_mappings (fingerprint, used_at);
