-- Rows stand under the contact number they were written for; reading goes
-- through all numbers of a person. due_at of a whole day is its last moment,
-- remind_at when to tell the assignee, reminded_at when that was done (0: not yet).
-- body and note are sealed.
create table follow_ups (
  id text not null primary key,
  contact bigint not null,
  assignee text not null,
  type text not null,
  body text not null,
  due_at bigint not null,
  all_day bigint not null,
  remind_at bigint not null,
  reminded_at bigint not null,
  repeat_days bigint not null,
  state text not null,
  outcome text not null,
  note text not null,
  created_by_id text not null,
  created_by_name text not null,
  created_at bigint not null,
  ended_by_id text not null,
  ended_by_name text not null,
  ended_at bigint not null
);
create index follow_ups_by_contact on follow_ups (contact, state, due_at);
create index follow_ups_by_assignee on follow_ups (state, assignee, due_at, id);
create index follow_ups_by_due on follow_ups (state, due_at, id);
create index follow_ups_by_end on follow_ups (state, assignee, ended_at, id);
create index follow_ups_to_remind on follow_ups (remind_at) where state = 'open' and reminded_at = 0;

-- What somebody is to be told, once for each key.
create table notifications (
  id text not null primary key,
  user_id text not null,
  key text not null,
  kind text not null,
  ref text not null,
  contact bigint not null,
  count bigint not null,
  created_at bigint not null,
  read_at bigint not null,
  unique (user_id, key)
);
create index notifications_by_user on notifications (user_id, created_at, id);
create index notifications_unread on notifications (user_id) where read_at = 0;

-- Contacts given to other owners, many at once; the moves are kept for the undo.
create table reassignments (
  id text not null primary key,
  job text not null,
  undo_job text not null,
  reason text not null,
  moved bigint not null,
  undone bigint not null,
  by_id text not null,
  by_name text not null,
  created_at bigint not null
);
create index reassignments_by_time on reassignments (created_at, id);
create table reassignment_moves (
  batch text not null,
  contact bigint not null,
  from_id text not null,
  to_id text not null,
  undone bigint not null,
  primary key (batch, contact)
);
