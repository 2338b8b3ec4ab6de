-- Files about a contact, under the number they came to. The name is sealed: people
-- write names and numbers into it; what is in the file lies sealed in the file
-- store. type is what the contents turned out to be.
create table contact_files (
  id text not null primary key,
  contact bigint not null,
  name text not null,
  type text not null,
  size bigint not null,
  by_id text not null,
  by_name text not null,
  at bigint not null
);
create index contact_files_by_contact on contact_files (contact, at, id);
-- Files in the store that belong to nobody, since when: an upload that goes on,
-- or one that was deleted. Those that are old are removed from the store.
create table contact_files_gone (
  id text not null primary key,
  at bigint not null
);
create index contact_files_gone_by_time on contact_files_gone (at);
-- People who have to do with each other: to_contact is from_contact's inviter,
-- referrer, and so on; household, colleague and other read the same both ways.
-- note is sealed.
create table contact_relations (
  id text not null primary key,
  from_contact bigint not null,
  to_contact bigint not null,
  kind text not null,
  note text not null,
  by_id text not null,
  by_name text not null,
  at bigint not null
);
create index contact_relations_from on contact_relations (from_contact);
create index contact_relations_to on contact_relations (to_contact);
-- A series goes on after so many months instead of days, and not beyond a day (0: without end).
alter table follow_ups add column repeat_months bigint not null default 0;
alter table follow_ups add column repeat_until bigint not null default 0;
