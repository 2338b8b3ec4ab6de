-- Groups of customers as a platform knows them. state: open, dismissed; owner_left:
-- the owner left the company. members counts all of today, customers those who are
-- no colleagues. version names the state of the members that was last read. seen is
-- the sync that last found it.
create table community_groups (
  account text not null,
  id text not null,
  name text not null,
  owner text not null,
  state text not null,
  owner_left bigint not null,
  version text not null,
  members bigint not null,
  customers bigint not null,
  created_at bigint not null,
  ended_at bigint not null,
  read_at bigint not null,
  seen bigint not null,
  primary key (account, id)
);
create index community_groups_by_owner on community_groups (account, owner);
-- Who is or was in a group. kind: staff, customer. contact is the number that the
-- customer's identity came to, 0 not yet. name is what the platform calls them,
-- sealed. scene: how they came, quit: how they went, by the platform's numbers; 0
-- not known. left_at 0: they are in it.
create table community_members (
  account text not null,
  chat text not null,
  member text not null,
  kind text not null,
  contact bigint not null,
  name_enc text not null,
  invitor text not null,
  state text not null,
  scene bigint not null,
  quit bigint not null,
  joined_at bigint not null,
  left_at bigint not null,
  primary key (account, chat, member)
);
create index community_members_by_contact on community_members (contact, left_at);
create index community_members_by_member on community_members (account, member);
-- How many customers came and went on a day, by the company's calendar.
create table community_days (
  account text not null,
  chat text not null,
  day bigint not null,
  joined bigint not null,
  gone bigint not null,
  primary key (account, chat, day)
);
create index community_days_by_day on community_days (day);
-- When an account was last read as a whole.
create table community_accounts (
  account text not null primary key,
  synced_at bigint not null,
  job text not null
);
