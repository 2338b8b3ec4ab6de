-- Scene codes of official accounts. skey is the text that comes back with a scan; def
-- is a sealed JSON definition; url is what the picture says, "" until the platform
-- made it. rev grows with each change, so that memory follows.
create table scenes (
  id text not null primary key,
  skey text not null,
  account text not null,
  rev bigint not null,
  state text not null,
  name text not null,
  def text not null,
  by_name text not null,
  created_at bigint not null,
  changed_at bigint not null,
  url text not null,
  until bigint not null,
  fault text not null,
  params text not null,
  tries bigint not null,
  next_at bigint not null
);
create unique index scenes_by_key on scenes (skey);
create index scenes_by_rev on scenes (rev);
-- Each scan. followed is 1 when it made a follower, gone_at when they left, 0 while they
-- have not; day is the company's, as yyyymmdd; message is the fact's id.
create table scene_scans (
  message text not null primary key,
  code text not null,
  account text not null,
  person text not null,
  contact bigint not null,
  at bigint not null,
  day bigint not null,
  followed bigint not null,
  gone_at bigint not null,
  gone_day bigint not null
);
create index scene_scans_by_code on scene_scans (code, day);
create index scene_scans_by_gone on scene_scans (code, gone_day);
create index scene_scans_by_person on scene_scans (person, account, code);
create index scene_scans_by_contact on scene_scans (contact);
