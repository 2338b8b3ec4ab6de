-- Live codes. def is a sealed JSON definition: welcomes may name a shop's phone.
-- skey is the state that comes back from the platform; rev grows with each change,
-- so that memory follows; way_… is what the platform knows of the code.
create table livecodes (
  id text not null primary key,
  skey text not null,
  rev bigint not null,
  state text not null,
  name text not null,
  def text not null,
  by_id text not null,
  by_name text not null,
  created_at bigint not null,
  changed_at bigint not null,
  way_id text not null,
  way_qr text not null,
  way_text text not null,
  way_sum text not null,
  way_users text not null,
  way_skip bigint not null,
  way_why text not null,
  way_at bigint not null,
  fault text not null,
  fault_code bigint not null,
  fault_at bigint not null,
  tries bigint not null,
  next_at bigint not null,
  lease bigint not null
);
create unique index livecodes_by_key on livecodes (skey);
create index livecodes_by_rev on livecodes (rev);
create table livecode_folders (
  id text not null primary key,
  name text not null,
  at bigint not null
);
-- What friends get who came without a code, by account. def is sealed.
create table livecode_general (
  account text not null primary key,
  def text not null,
  rev bigint not null,
  by_name text not null,
  changed_at bigint not null
);
-- Each time somebody was added by a code. day is the company's, as yyyymmdd; nth
-- counts the same person by the same code; gone_by is customer, colleague or
-- transfer, and gone_at 0 while they are friends.
create table livecode_adds (
  id text not null primary key,
  code text not null,
  account text not null,
  staff text not null,
  person text not null,
  contact bigint not null,
  at bigint not null,
  day bigint not null,
  hour bigint not null,
  nth bigint not null,
  gone_at bigint not null,
  gone_day bigint not null,
  gone_by text not null
);
create index livecode_adds_by_code on livecode_adds (code, day);
create index livecode_adds_by_day on livecode_adds (day);
create index livecode_adds_by_person on livecode_adds (person, account, staff);
create index livecode_adds_by_contact on livecode_adds (contact);
create index livecode_adds_by_gone on livecode_adds (code, gone_day);
-- Welcomes by the callback's key. state is claimed, sent, refused, unknown or late.
create table livecode_welcomes (
  id text not null primary key,
  code text not null,
  account text not null,
  staff text not null,
  person text not null,
  state text not null,
  node text not null,
  lease bigint not null,
  at bigint not null,
  sent_at bigint not null,
  took bigint not null,
  tries bigint not null,
  fault text not null,
  fault_code bigint not null
);
create index livecode_welcomes_by_code on livecode_welcomes (code, at);
create index livecode_welcomes_by_person on livecode_welcomes (person);
create index livecode_welcomes_by_state on livecode_welcomes (state, at);
-- Who got the hook of a code, and with which welcome.
create table livecode_hooks (
  code text not null,
  person text not null,
  welcome text not null,
  given bigint not null,
  at bigint not null,
  primary key (code, person)
);
-- What is still to be written to the platform: remarks. state is waiting or dead.
create table livecode_tasks (
  n bigint not null primary key,
  code text not null,
  account text not null,
  staff text not null,
  person text not null,
  state text not null,
  at bigint not null,
  tries bigint not null,
  next_at bigint not null,
  fault text not null,
  fault_code bigint not null
);
create index livecode_tasks_by_due on livecode_tasks (state, next_at);
create index livecode_tasks_by_code on livecode_tasks (code, n);
-- What was done to a code, and what the platform said. detail is JSON.
create table livecode_log (
  n bigint not null primary key,
  code text not null,
  at bigint not null,
  kind text not null,
  by_id text not null,
  by_name text not null,
  detail text not null
);
create index livecode_log_by_code on livecode_log (code, n);
-- Pictures and files of welcomes; what they are is in the blob store.
create table livecode_files (
  id text not null primary key,
  name text not null,
  type text not null,
  size bigint not null,
  at bigint not null,
  by_name text not null
);
-- The platform's ids of them, which it forgets.
create table livecode_media (
  file text not null,
  account text not null,
  kind text not null,
  media text not null,
  until bigint not null,
  primary key (file, account, kind)
);
