-- Accounts whose tags are linked with ours. list_due and read_due count who asked
-- for a look at the tags, or at everybody's: 0 nobody. take_new: a tag that is made
-- there is made here, too.
create table mirror_accounts (
  account text not null primary key,
  enabled bigint not null,
  take_new bigint not null,
  list_due bigint not null,
  listed_at bigint not null,
  read_due bigint not null,
  read_at bigint not null,
  job text not null,
  sent bigint not null,
  came bigint not null,
  fault text not null,
  fault_number text not null,
  fault_at bigint not null,
  lease bigint not null,
  holder text not null
);
-- A tag there and ours. name and group_name are as both sides last agreed. state:
-- on; off (not linked, and not offered anew); theirs_gone, ours_gone (somebody has
-- to say what shall become of the other one). fault is a code of the catalogue.
create table mirror_tags (
  account text not null,
  id text not null,
  group_id text not null,
  name text not null,
  group_name text not null,
  tag text not null,
  tag_name text not null,
  state text not null,
  fault text not null,
  fault_name text not null,
  at bigint not null,
  primary key (account, id)
);
create index mirror_tags_by_tag on mirror_tags (tag, account);
-- Friendships, with the linked tags that the platform has on them: ids with a blank
-- before and behind each. unsure are those whose last call was not answered. due
-- counts who asked for a comparison, 0 nobody; reread: the platform is asked first.
-- read_at is when the newest finding was asked for, sent_at when the last call was
-- answered.
create table mirror_friends (
  account text not null,
  staff text not null,
  customer text not null,
  contact bigint not null,
  live bigint not null,
  held text not null,
  unsure text not null,
  read_at bigint not null,
  sent_at bigint not null,
  due bigint not null,
  reread bigint not null,
  try_at bigint not null,
  tries bigint not null,
  fault text not null,
  fault_number text not null,
  primary key (account, staff, customer)
);
create index mirror_friends_by_contact on mirror_friends (contact);
create index mirror_friends_by_customer on mirror_friends (account, customer);
create index mirror_friends_due on mirror_friends (account, try_at) where due > 0;
create index mirror_friends_failed on mirror_friends (account, staff, customer) where fault <> '';
