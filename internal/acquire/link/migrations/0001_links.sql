-- Short links. The target is an address that staff typed; one that holds a phone
-- number or the like is refused.
create table links (
  code text primary key,
  title text not null,
  target text not null,
  channel text not null,
  source text not null,
  medium text not null,
  campaign text not null,
  content text not null,
  owner_id text not null,
  notify bigint not null,
  carry bigint not null,
  expires_at bigint not null,
  paused bigint not null,
  by_id text not null,
  by_name text not null,
  created_at bigint not null,
  changed_at bigint not null
);
create index links_by_time on links (created_at, code);
create index links_changed on links (changed_at, code);

-- One line for each opening by a person, as the stream of facts tells it. Nothing
-- here names anybody: visitor and contact are numbers of contacts.
create table link_opens (
  n bigint primary key,
  code text not null,
  at bigint not null,
  message text not null,
  contact bigint not null,
  device text not null,
  app text not null,
  system text not null,
  referrer text not null
);
create index link_opens_by_code on link_opens (code, at, contact, device, app);
create index link_opens_by_time on link_opens (at, code);
create index link_opens_by_contact on link_opens (contact, at);
create unique index link_opens_by_message on link_opens (message);

-- Openings by programs, and those by people that could not be recorded, by the day.
create table link_noise (
  code text not null,
  day text not null,
  why text not null,
  n bigint not null,
  primary key (code, day, why)
);

-- Networks whose visits are programs' whatever they say of themselves.
create table link_settings (one bigint primary key, networks text not null, burst bigint not null);
insert into link_settings (one, networks, burst) values (1, '[]', 20);
