"""The command ``tst``: one small module a command, imported when the command is used."""
