"""Which column of an export means what: the header names of common HR and directory exports, in three languages.

Workday, BambooHR, SAP SuccessFactors, Personio, Google Workspace and Entra ID among them. Names are compared without
case, accents, spaces, punctuation, and what stands in brackets. Several columns may mean the same: the first in the
order given here that has something in its cell counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_NAMES = {
    "email": (
        "work email, primary work email, email work, email primary work, work email address, business email, "
        "business email address, business email information email address, company email, corporate email, "
        "official email, office email, primary email, primary email address, email address, email addresses, email, "
        "e-mail, mail, email id, user email, employee email, contact email, internet address, smtp address, "
        "primary smtp address, "
        "geschäftliche e-mail, geschaeftliche e-mail, geschäftliche e-mail-adresse, dienstliche e-mail, "
        "dienstliche e-mail-adresse, e-mail geschäftlich, e-mail dienstlich, firmen e-mail, arbeits e-mail, "
        "e-mail-adresse, mailadresse, "
        "e-mail professionnel, e-mail professionnelle, adresse e-mail professionnelle, courriel professionnel, "
        "adresse électronique professionnelle, mail professionnel, e-mail pro, adresse e-mail, adresse mail, "
        "adresse électronique, adresse de messagerie, courriel, "
        "user principal name, upn, login email, login, username, user name"
    ),
    "name": (
        "name, full name, display name, employee name, employee full name, worker name, worker, employee, "
        "legal name, legal full name, common name, formatted name, person, "
        "vollständiger name, vollstaendiger name, anzeigename, mitarbeiter, mitarbeitername, name mitarbeiter, "
        "nom complet, nom et prénom, prénom et nom, nom d'affichage, nom affiché, collaborateur, nom du collaborateur"
    ),
    "preferred": "preferred name, preferred full name, known as, goes by, nickname, bevorzugter name, nom préféré",
    "first": (
        "preferred first name, first name, given name, forename, legal first name, firstname, first, "
        "vorname, rufname, prénom, prénom usuel"
    ),
    "last": (
        "preferred last name, last name, surname, family name, legal last name, lastname, last, sn, "
        "nachname, familienname, zuname, nom de famille, nom, nom usuel"
    ),
    "title": (
        "job title, business title, title, position title, position, job, role, job role, employee title, "
        "external title, designation, job profile, business card title, "
        "stellenbezeichnung, jobtitel, berufsbezeichnung, funktion, stelle, tätigkeit, taetigkeit, "
        "intitulé du poste, titre du poste, poste, fonction, titre, emploi"
    ),
    "department": (
        "department, department name, dept, division, business unit, organization, organisation, "
        "organizational unit, organisational unit, org unit, org unit path, supervisory organization, team, team name, "
        "group, function, cost center, cost centre, cost center name, cost center hierarchy, "
        "abteilung, abteilungsname, bereich, organisationseinheit, geschäftsbereich, kostenstelle, "
        "département, service, direction, équipe, entité, unité organisationnelle, centre de coûts, centre de coût"
    ),
    "location": (
        "location, location name, work location, office location, office, physical delivery office name, office name, "
        "primary work location, site, city, work city, building, building id, duty station, workplace, place, "
        "standort, büro, buero, arbeitsort, dienstort, ort, stadt, niederlassung, "
        "lieu, lieu de travail, site de travail, bureau, ville, localisation, emplacement"
    ),
    "time_zone": (
        "time zone, timezone, tz, time zone name, work time zone, iana time zone, zeitzone, fuseau horaire, fuseau"
    ),
    "skills": (
        "skills, skill, skill set, key skills, competencies, competences, competency, expertise, areas of expertise, "
        "topics, knowledge, specialties, specialities, specialisms, ask me about, tags, "
        "kenntnisse, fähigkeiten, faehigkeiten, kompetenzen, fachgebiete, fachkenntnisse, qualifikationen, "
        "compétences, domaines d'expertise, savoir-faire, aptitudes, spécialités"
    ),
    "bio": (
        "about me, about, bio, biography, summary, profile, professional summary, description, personal statement, "
        "über mich, ueber mich, kurzprofil, beschreibung, à propos, à propos de moi, biographie, présentation"
    ),
    "active": (
        "active, is active, active status, employment status, employee status, worker status, status, account enabled, "
        "account status, user status, currently active, enabled, "
        "aktiv, beschäftigungsstatus, mitarbeiterstatus, beschaeftigungsstatus, "
        "actif, statut, statut d'emploi, statut de l'employé"
    ),
    "guest": "guest, is guest, user type, gast, benutzertyp, invité, type d'utilisateur",
    "communities": (
        "communities, community, communities of practice, community slugs, practice groups, "
        "gemeinschaften, communautés, communautés de pratique"
    ),
    "away_until": (
        "away until, absent until, out until, out of office until, on leave until, return date, back on, "
        "abwesend bis, absent jusqu'au, date de retour"
    ),
}


def plain(header: str) -> str:
    """A header as it is compared."""
    text = re.sub(r"[\[(][^\])]*[\])]", "", header) or header
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("œ", "oe"))
    return "".join(char for char in letters.casefold() if char.isalnum())


_ORDER: dict[str, dict[str, int]] = {
    field: {plain(name): place for place, name in enumerate(names.split(","))} for field, names in _NAMES.items()
}


def columns_of(header: Sequence[str]) -> dict[str, list[int]]:
    """The columns of each field, best first."""
    found: dict[str, list[int]] = {}
    cells = [plain(cell) for cell in header]
    for field, order in _ORDER.items():
        places = [(order[cell], index) for index, cell in enumerate(cells) if cell in order]
        if places:
            found[field] = [index for _, index in sorted(places)]
    if "first" in found and "name" in found and "last" not in found:
        found["last"] = found.pop("name")  # "Vorname" beside "Name": the latter is the family's
    return found


def recognised(cells: list[str]) -> int:
    """How many cells are names we know; a row without an address column is hardly a header."""
    columns = columns_of(cells)
    return sum(map(len, columns.values())) + (100 if "email" in columns else 0)


#: For the message that says what a header needs.
EMAIL_HEADERS = "Email, Work Email, E-mail Address, Primary Email, userPrincipalName, E-Mail-Adresse or Courriel"
