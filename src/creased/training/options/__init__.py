"""Options of a run, checked by name before any work.

`names` refuses options that nothing reads, however they were given; `values` checks numbers and choices;
`roles` says which options name files, and which a resumed run keeps; `shape` settles name, licence and
credit of a shape that is a user's file.
"""
