-- The draft of each account's menu, sealed, and what the platform last refused. params
-- is JSON, for the words of the fault.
create table menus (
  account text not null primary key,
  rev bigint not null,
  draft text not null,
  published bigint not null,
  by_name text not null,
  changed_at bigint not null,
  fault text not null,
  params text not null,
  fault_at bigint not null
);
-- What was published, sealed.
create table menu_versions (
  id text not null primary key,
  account text not null,
  n bigint not null,
  def text not null,
  by_name text not null,
  at bigint not null
);
create unique index menu_versions_by_account on menu_versions (account, n);
