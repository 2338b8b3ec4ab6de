-- One row per entry, in a chain: hash covers every column and the hash before
-- it; seal is keyed, so that whoever has SQL access alone cannot make a new chain.
create table audit_log (
  seq bigint not null primary key,
  at bigint not null,
  actor_id text not null,
  actor_name text not null,
  actor_kind text not null,
-- +sqlite
  action text not null,
-- +end
-- +postgres
  action text collate "C" not null,
-- +end
  object_type text not null,
  object_id text not null,
  object_name text not null,
  detail text not null,
  ip text not null,
  request_id text not null,
  prev text not null,
  hash text not null,
  seal text not null
);
create index audit_log_actor on audit_log (actor_id, seq);
create index audit_log_object on audit_log (object_type, object_id, seq);
create index audit_log_action on audit_log (action, seq);
create index audit_log_at on audit_log (at, seq);

-- The end of the chain, in one row; writers queue on it.
create table audit_head (
  id bigint not null primary key,
  seq bigint not null,
  at bigint not null,
  hash text not null,
  seal text not null
);
insert into audit_head (id, seq, at, hash, seal) values (1, 0, 0, '', '');
