-- Addresses to tell who came into a segment and who left. url and secret are
-- sealed: addresses often carry a key. segments and events are JSON lists; an
-- empty list of segments is all of them. lease is until when one node delivers.
create table webhooks (
  id text not null primary key,
  name text not null,
  url_enc text not null,
  secret_enc text not null,
  segments text not null,
  events text not null,
  live_only bigint not null,
  state text not null,
  fault text not null,
  by_id text not null,
  by_name text not null,
  created_at bigint not null,
  changed_at bigint not null,
  sent_at bigint not null,
  sent bigint not null,
  lease bigint not null
);
-- What is to be told, in order; told ones are removed. state is waiting or dead.
create table webhook_deliveries (
  n bigint not null primary key,
  id text not null,
  webhook text not null,
  state text not null,
  body text not null,
  events bigint not null,
  at bigint not null,
  tries bigint not null,
  next_at bigint not null,
  status bigint not null,
  fault text not null
);
create index webhook_deliveries_by_hook on webhook_deliveries (webhook, state, n);
