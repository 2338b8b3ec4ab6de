-- Rules of auto-replies. def is a sealed JSON definition: texts may name a shop's
-- phone. rev grows with each change, so that memory follows; gone rules stay for
-- the books, and for memories that are behind.
create table replies (
  id text not null primary key,
  account text not null,
  kind text not null,
  place bigint not null,
  rev bigint not null,
  gone bigint not null,
  name text not null,
  def text not null,
  by_name text not null,
  created_at bigint not null,
  changed_at bigint not null
);
create index replies_by_rev on replies (rev);
create index replies_by_account on replies (account, kind, place);
-- When an account has people who answer. def is JSON.
create table reply_hours (
  account text not null primary key,
  rev bigint not null,
  def text not null,
  by_name text not null,
  changed_at bigint not null
);
-- Each answer. day is the company's, as yyyymmdd; message is the fact's id.
create table reply_sent (
  message text not null primary key,
  rule text not null,
  account text not null,
  person text not null,
  contact bigint not null,
  why text not null,
  word text not null,
  at bigint not null,
  day bigint not null
);
create index reply_sent_by_rule on reply_sent (rule, day);
create index reply_sent_by_person on reply_sent (rule, person, at);
create index reply_sent_by_contact on reply_sent (contact);
create index reply_sent_by_day on reply_sent (day);
-- The platform's ids of pictures, which it forgets.
create table reply_media (
  file text not null,
  account text not null,
  media text not null,
  until bigint not null,
  primary key (file, account)
);
