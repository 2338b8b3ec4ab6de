-- The tree of channels. An empty name means the one that the channel came with,
-- in the reader's language. Channels are archived, never deleted: contacts and
-- facts name them for good.
create table acquire_channels (
  id text primary key,
  parent text not null,
  name text not null,
  owner_id text not null,
  archived bigint not null,
  place bigint not null,
  created_at bigint not null,
  changed_at bigint not null
);
insert into acquire_channels (id, parent, name, owner_id, archived, place, created_at, changed_at) values
  ('paid_search', '', '', '', 0, 1, 0, 0), ('feed_ads', '', '', '', 0, 2, 0, 0), ('social', '', '', '', 0, 3, 0, 0),
  ('short_video', '', '', '', 0, 4, 0, 0), ('media', '', '', '', 0, 5, 0, 0), ('vertical', '', '', '', 0, 6, 0, 0),
  ('ecommerce', '', '', '', 0, 7, 0, 0), ('offline', '', '', '', 0, 8, 0, 0), ('partner', '', '', '', 0, 9, 0, 0),
  ('referral', '', '', '', 0, 10, 0, 0), ('organic', '', '', '', 0, 11, 0, 0), ('direct', '', '', '', 0, 12, 0, 0),
  ('unknown', '', '', '', 0, 13, 0, 0);

-- Rules, tried in order; each of its parts that is not empty must fit.
create table acquire_rules (
  id text primary key,
  place bigint not null,
  channel text not null,
  source text not null,
  medium text not null,
  campaign text not null,
  referrer text not null,
  code text not null,
  link text not null,
  import text not null,
  created_at bigint not null
);

-- What a channel cost on a day of the company's calendar, in the smallest unit
-- of the currency.
create table acquire_costs (
  day text not null,
  channel text not null,
  currency text not null,
  amount bigint not null,
  changed_at bigint not null,
  primary key (day, currency, channel)
);

-- One line: a number that grows with each change of the tree or the rules, by
-- which other nodes know that theirs is old.
create table acquire_version (one bigint primary key, n bigint not null);
insert into acquire_version (one, n) values (1, 1);
