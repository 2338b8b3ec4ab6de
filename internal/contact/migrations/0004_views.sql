-- Saved ways to look at the list of contacts. `definition` is JSON: filter,
-- order, columns. Shared ones are everybody's who may read contacts.
create table contact_views (
  id text not null primary key,
  owner_id text not null,
  owner_name text not null,
  shared bigint not null,
  name text not null,
  name_key text not null,
  definition text not null,
  created_at bigint not null,
  updated_at bigint not null
);
create index contact_views_by_owner on contact_views (owner_id);
create index contact_views_shared on contact_views (name_key) where shared = 1;
-- What a user keeps of views, as JSON: tabs, the one that opens first, columns.
create table contact_view_prefs (
  user_id text not null primary key,
  prefs text not null
);
