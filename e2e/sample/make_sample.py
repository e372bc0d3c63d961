#!/usr/bin/env python3
"""Write the sample roster that the demo imports, as a clinic's HIS would export it. Nobody in it is real.

Shape: CSV in Big5 (cp950), CRLF. The first two people are those of the operations manual; every eleventh row after
them is dirty in one of the ways that HIS exports are, in turn. The same --rows and --seed give the same people.
Example: python3 e2e/sample/make_sample.py e2e/sample/roster.csv --rows 120
"""

import argparse
import datetime
import random
from pathlib import Path

TITLES = "病歷號碼,姓名,性別,身份證號碼,出生日期,電話,四角號碼,地址,同胎次序,胎次,胎別,父母身分證"
FROM_THE_MANUAL = [
    "057164,測試患者,2,B222419838,0741108,0912345678,3614,台中市南區復興路1號,1,1,1,",
    "057165,測試患者2,2,D222419830,0721008,0923456789,3614,台中市北屯區崇德路2號,1,1,1,",
]
FAMILY_NAMES = "陳林黃張李王吳劉蔡楊許鄭謝郭洪"
GIVEN_NAMES = ("樂小大知明青春秋和思望若清遠半", "安晴同行月山生水平源舒谷風志夏")
STREETS = ["臺中市南區練習路", "臺中市北屯區測試街", "臺中市西屯區示範路", "臺北市大安區範例街", "宜蘭縣頭城鎮樣本路"]
LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
AGES_IN_DAYS = (20, 75, 140, 200, 370, 460, 560, 830, 1900, 2500, 4000, 9000, 13000, 19000, 24500, 29000)
NEWBORN_DAYS = 60


def make_national_id(rng: random.Random, second: int) -> str:
    letter = rng.choice(LETTERS)
    digits = [second, *(rng.randrange(10) for _ in range(7))]
    tens, units = divmod(LETTERS.index(letter) + 10, 10)
    total = tens + 9 * units + sum(weight * digit for weight, digit in zip(range(8, 0, -1), digits, strict=True))
    return letter + "".join(map(str, digits)) + str(-total % 10)


def write_date(rng: random.Random, day: datetime.date) -> str:
    year = day.year - 1911
    dotted = f"{year}.{day.month}.{day.day}"
    return rng.choice((f"{year:03d}{day:%m%d}", f"{year}/{day:%m/%d}", f"{year:03d}/{day:%m/%d}", dotted))


def make_person(rng: random.Random, number: int, today: datetime.date) -> list[str]:
    sex = rng.choice((1, 2))
    age_in_days = AGES_IN_DAYS[number % len(AGES_IN_DAYS)] + rng.randrange(28)
    is_newborn = age_in_days < NEWBORN_DAYS
    is_second_twin = is_newborn and number // len(AGES_IN_DAYS) % 2 == 1
    # One in twenty-five holds a resident certificate, whose second place is 8 or 9.
    own_id = "" if is_newborn else make_national_id(rng, sex if rng.random() < 0.96 else sex + 7)
    return [
        f"{58000 + number:06d}",
        "".join(rng.choice(signs) for signs in (FAMILY_NAMES, *GIVEN_NAMES)),
        str(sex),
        own_id,
        write_date(rng, today - datetime.timedelta(days=age_in_days)),
        f"09{rng.randrange(10**8):08d}" if rng.random() < 0.9 else "",
        f"{rng.randrange(10**4):04d}",
        f"{rng.choice(STREETS)}{rng.randrange(1, 300)}號",
        "2" if is_second_twin else "1",
        str(rng.randrange(1, 4)),
        "2" if is_second_twin else "1",
        make_national_id(rng, 2) if age_in_days < 600 else "",
    ]


def wrong_checksum(cells: list[str], before: list[str]) -> None:
    cells[3] = "A123456780"


def no_such_day(cells: list[str], before: list[str]) -> None:
    cells[4] = "1130230"


def nobodys_id(cells: list[str], before: list[str]) -> None:
    cells[3] = cells[11] = ""


def chart_number_taken(cells: list[str], before: list[str]) -> None:
    cells[0] = before[0]


def full_width(cells: list[str], before: list[str]) -> None:
    cells[3] = cells[3].translate({code: code + 0xFEE0 for code in range(0x30, 0x5B)})


def stray_blanks(cells: list[str], before: list[str]) -> None:
    cells[1], cells[3] = f" {cells[1]}　", f" {cells[3].lower()}"


def rare_character(cells: list[str], before: list[str]) -> None:
    cells[1] = cells[1][0] + "𤧟"


def other_sex_code(cells: list[str], before: list[str]) -> None:
    cells[2] = "女"


def no_name(cells: list[str], before: list[str]) -> None:
    cells[1] = ""


def cut_short(cells: list[str], before: list[str]) -> None:
    del cells[7:]


DIRT = (
    wrong_checksum,
    no_such_day,
    nobodys_id,
    chart_number_taken,
    full_width,
    stray_blanks,
    rare_character,
    other_sex_code,
    no_name,
    cut_short,
)
DIRTY_EVERY = 11


def make_roster(rows: int, seed: int, today: datetime.date) -> bytes:
    rng = random.Random(seed)
    lines = [TITLES, *FROM_THE_MANUAL[:rows]]
    before: list[str] = []
    for number in range(1, rows - len(FROM_THE_MANUAL) + 1):
        cells = make_person(rng, number, today)
        if number % DIRTY_EVERY == 0:
            DIRT[number // DIRTY_EVERY % len(DIRT)](cells, before)
        lines.append(",".join(cells))
        before = cells
    # What Big5 cannot hold is written as "?", as an HIS does.
    return "".join(line + "\r\n" for line in lines).encode("cp950", errors="replace")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a synthetic sample roster.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--today", type=datetime.date.fromisoformat, default=datetime.date(2026, 11, 23))
    options = parser.parse_args()
    options.path.write_bytes(make_roster(options.rows, options.seed, options.today))


if __name__ == "__main__":
    main()
