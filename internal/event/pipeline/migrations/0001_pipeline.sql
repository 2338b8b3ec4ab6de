-- How far each stage and subscriber has come in the stream.
create table event_cursors (
  name text not null primary key,
  seq bigint not null,
  idx bigint not null,
  updated_at bigint not null
);

-- Facts that a stage could not digest. stage: decode, resolve, store, react.
-- A fact stands here once per stage and subscriber, however often it fails.
create table set_aside (
  id text not null primary key,
  at bigint not null,
  stage text not null,
  subscriber text not null,
  code text not null,
  params text not null,
  name text not null,
  message_id text not null,
  source text not null,
  fact text not null,
  contact bigint not null,
  seq bigint not null,
  idx bigint not null,
  tries bigint not null,
  state text not null,
  updated_at bigint not null,
  unique (stage, subscriber, message_id)
);
create index set_aside_open on set_aside (state, id);
