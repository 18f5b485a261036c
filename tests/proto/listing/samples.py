"""A listing in each dialect, of a directory and a file or what comes nearest to them there."""

from __future__ import annotations

NOW = 1_710_000_000.0
"""9 March 2024, 16:00."""

LISTINGS = {
    "unix": """\
total 8
drwxr-xr-x 2 me us 4096 Jan  5 12:34 .
drwxr-xr-x 2 me us 4096 Jan  5 12:34 ..
drwxr-xr-x 2 me us 4096 Jan  5 12:34 docs
-rw-r--r-- 1 me us    5 Jan  5  2020 a.txt""",
    "dos": """\
01-05-24  12:34PM       <DIR>          docs
01-05-24  12:34PM                    5 a.txt""",
    "eplf": "+/,m825718503\tdocs\n+r,s5,m825718503\ta.txt",
    "mlsx": """\
type=cdir;modify=20200101000000; /
type=pdir;modify=20200101000000; /
type=dir;modify=20200101000000; docs
type=file;size=5;modify=20200101000000; a.txt""",
    "netware": """\
d [RWCEAFMS] office                      512 Jan 05 12:34    docs
- [RW----F-] j_smith                       5 Feb 06 09:10    a.txt""",
    "netpresenz": """\
drwxr-xr-x               folder        7 Jan  5  2020 docs
-rw-r--r--          40        5       45 Jan  5 12:34 a.txt""",
    "vms": """\

Directory DISK$USER:[SMITH]

DOCS.DIR;1              1/3           5-JAN-2020 12:34:56  [STAFF,SMITH]   (RWE,RWE,RE,E)
A.TXT;12                1/3           5-JAN-2020 12:34:56  [STAFF,SMITH]   (RWED,RWED,RE,)

Total of 2 files, 2/6 blocks.""",
    "mvs": """\
Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname
USR001 3390   2020/01/05  1   15  FB      80 27920  PO  DOCS.CNTL
USR002 3390   2020/01/05  2    3  VB     255  6233  PS  A.TEXT""",
    "pds": """\
 Name     VV.MM   Created       Changed      Size  Init   Mod   Id
DOCS      01.02 2019/12/30 2020/01/05 12:34    40    38     0 SMITH
A""",
    "jes": """\
JOBNAME  JOBID    OWNER    STATUS CLASS
SMITHA   JOB00017 SMITH    OUTPUT A        RC=0000 4 spool files
SMITHB   JOB00018 SMITH    INPUT  B""",
    "zvm": """\
DOCS     DIR        -          -          -          - 2020-01-05 12:34:56 -
A        TEXT     F         80          3          1 2020-01-05 12:34:56 SMITH""",
    "os400": """\
SMITH            8192 01/05/20 12:34:56 *DIR       docs/
SMITH               5 01/05/20 12:34:56 *STMF      a.txt""",
    "os2": """\
        0 DIR       01-05-120  12:34  docs
        5      A    01-05-99   12:34  a.txt""",
    "guardian": """\
File         Code             EOF  Last Modification    Owner  RWEP
DOCS          101            2048  5-Jan-20 12:34:56  20,  7 "NUNU"
A             100               5  5-Jan-20 12:34:56 255,255 "oooo\"""",
    "vshell": "0  Jan 05, 2020 12:34 docs/\n5  Jan 05, 2020 12:34 a.txt",
    "vxworks": """\
  size          date       time       name
--------       ------     ------    --------
     512    Jan-05-2020  12:34:56   DOCS              <DIR>
       5    Jan-05-2020  12:34:56   a.txt""",
    "wftpd": """\
docs                <DIR>  01/05/20  Sun.   12:34:56
a.txt                   5  01/05/20  Sun.   12:34:56""",
}
