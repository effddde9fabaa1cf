-- Who reaches the servers of a label, where its plan says that they are guarded.

-- ``cidr`` is what its owner wrote; the addresses that it stands for are those of its network.
create table access_rules (
    id text primary key,
    label_id text not null references labels (id),
    cidr text not null,
    note text,
    active bigint not null,
    created_at bigint not null
);
create index access_rules_label on access_rules (label_id, created_at);
