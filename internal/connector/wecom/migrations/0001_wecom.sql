-- Where reading goes on: name says of what (service:<id>). value is the platform's
-- own cursor.
create table wecom_cursors (
  account text not null,
  name text not null,
  value text not null,
  at bigint not null,
  primary key (account, name)
);
-- Messages to many and posts whose results are followed. kind: single (customers),
-- group, moment. state: open, done. next_at is when they are looked at again;
-- settled counts colleagues whose part is read to its end.
create table wecom_sendings (
  account text not null,
  id text not null,
  kind text not null,
  made_at bigint not null,
  state text not null,
  next_at bigint not null,
  parts bigint not null,
  settled bigint not null,
  reached bigint not null,
  missed bigint not null,
  primary key (account, id)
);
create index wecom_sendings_due on wecom_sendings (state, next_at);
-- The part of one colleague in it: done when all of it was stated.
create table wecom_sending_parts (
  account text not null,
  id text not null,
  staff text not null,
  done bigint not null,
  reached bigint not null,
  missed bigint not null,
  primary key (account, id, staff)
);
