-- The keys that were ever used. state: new (not every node has it yet), active (it seals), old (it opens).
create table vault_keys (
  id text not null primary key,
  state text not null,
  added_at bigint not null,
  active_at bigint not null -- 0 never
);
-- Which keys each running node has, so that none is used before all have it.
create table vault_nodes (node text not null primary key, keys text not null, at bigint not null);
-- What lies under which key, as last counted. key '': in clear.
create table vault_counts (source text not null, key text not null, count bigint not null, primary key (source, key));
-- resealed:<key>, counted, wanted: when.
create table vault_marks (name text not null primary key, at bigint not null);
