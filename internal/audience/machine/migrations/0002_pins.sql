-- Whom colleagues placed by hand and why. Whether that still holds is in
-- machine_states.pinned_until, of which until_at is a copy: a row whose copy differs
-- tells of a choice that is over. run is the job that placed many at once; '' for few.
create table machine_pins (
  machine text not null,
  contact bigint not null,
  until_at bigint not null,
  at bigint not null,
  note text not null,
  by_id text not null,
  by_name text not null,
  run text not null,
  primary key (machine, contact)
);
create index machine_pins_by_contact on machine_pins (contact);
create index machine_pins_by_run on machine_pins (machine, run, contact) where run <> '';
