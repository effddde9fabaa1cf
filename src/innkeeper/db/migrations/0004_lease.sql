-- Which Innkeeper keeps this database now.

create table lease (
    one bigint primary key check (one = 1),
    holder text not null,
    told text not null,
    until bigint not null
);
