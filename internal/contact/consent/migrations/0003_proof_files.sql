-- Files that prove changes of many: a list of signatures, an export of a form.
-- Those that no change used are taken away after a day.
create table consent_proofs (
  id text not null primary key,
  name_enc text not null,
  size bigint not null,
  sha256 text not null,
  file_key text not null,
  batch text not null default '',
  created_at bigint not null,
  by_id text not null
);
create index consent_proofs_unused on consent_proofs (batch, created_at);
alter table consent_batches add column proof text not null default '';
