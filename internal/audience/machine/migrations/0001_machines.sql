-- How a machine is defined, one row for each time it was changed. worked is 1 once
-- everybody was sorted by it: the newest such is the one in force.
create table machine_definitions (
  machine text not null,
  version bigint not null,
  states text not null,
  worked bigint not null,
  job text not null,
  moved bigint not null,
  at bigint not null,
  by_id text not null,
  by_name text not null,
  primary key (machine, version)
);

-- In which state somebody is, one row for each machine. shown is 0 for contacts
-- that are part of another: their row waits for the undo of the merge.
-- pinned_until is until when a colleague's choice holds; 0: nobody chose.
create table machine_states (
  machine text not null,
  contact bigint not null,
  state text not null,
  since bigint not null,
  shown bigint not null,
  pinned_until bigint not null,
  primary key (machine, contact)
);
create index machine_states_by_state on machine_states (machine, shown, state, since, contact);
create index machine_states_by_contact on machine_states (contact);
create index machine_states_pinned on machine_states (machine, pinned_until) where pinned_until > 0;

-- Every move from one state to another. Where somebody stood first is no move.
create table machine_moves (
  machine text not null,
  contact bigint not null,
  at bigint not null,
  from_state text not null,
  to_state text not null,
  reason text not null,
  note text not null,
  by_id text not null,
  by_name text not null,
  primary key (machine, contact, at)
);
create index machine_moves_by_contact on machine_moves (contact);
create index machine_moves_by_time on machine_moves (machine, at, from_state, to_state, contact);

-- How many were in each state at the end of a day (of the company), the present one so far.
create table machine_counts (
  machine text not null,
  day text not null,
  state text not null,
  people bigint not null,
  primary key (machine, day, state)
);
