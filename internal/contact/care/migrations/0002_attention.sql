-- Settings and places that the watch over owners keeps, by name; values are JSON.
create table care_state (
  name text not null primary key,
  value text not null
);
insert into care_state (name, value) values ('stale.settings', '{"enabled":true,"days":30}');
insert into care_state (name, value) values ('stale.mark', '0');
insert into care_state (name, value) values ('stale.day', '""');
-- Users who have left and still own contacts, of whom was told.
create table care_left_owners (
  user_id text not null primary key,
  told_at bigint not null
);
