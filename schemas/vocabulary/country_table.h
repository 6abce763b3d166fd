// country_table - ISO 3166-1 alpha-2, alpha-3, M49 number, short name.
//
// Codes are facts; names are the usual English short ones. XK is the code that
// the European Commission, the IMF and SWIFT use for Kosovo (M49 has 412).
// Numbers in packed requests are positions: rows are added at the end only.
#pragma once

// clang-format off
#define SG_COUNTRY_TABLE(X) \
    X(AF, "AFG", 4, "Afghanistan") \
    X(AX, "ALA", 248, "Åland Islands") \
    X(AL, "ALB", 8, "Albania") \
    X(DZ, "DZA", 12, "Algeria") \
    X(AS, "ASM", 16, "American Samoa") \
    X(AD, "AND", 20, "Andorra") \
    X(AO, "AGO", 24, "Angola") \
    X(AI, "AIA", 660, "Anguilla") \
    X(AQ, "ATA", 10, "Antarctica") \
    X(AG, "ATG", 28, "Antigua and Barbuda") \
    X(AR, "ARG", 32, "Argentina") \
    X(AM, "ARM", 51, "Armenia") \
    X(AW, "ABW", 533, "Aruba") \
    X(AU, "AUS", 36, "Australia") \
    X(AT, "AUT", 40, "Austria") \
    X(AZ, "AZE", 31, "Azerbaijan") \
    X(BS, "BHS", 44, "Bahamas") \
    X(BH, "BHR", 48, "Bahrain") \
    X(BD, "BGD", 50, "Bangladesh") \
    X(BB, "BRB", 52, "Barbados") \
    X(BY, "BLR", 112, "Belarus") \
    X(BE, "BEL", 56, "Belgium") \
    X(BZ, "BLZ", 84, "Belize") \
    X(BJ, "BEN", 204, "Benin") \
    X(BM, "BMU", 60, "Bermuda") \
    X(BT, "BTN", 64, "Bhutan") \
    X(BO, "BOL", 68, "Bolivia") \
    X(BQ, "BES", 535, "Bonaire, Sint Eustatius and Saba") \
    X(BA, "BIH", 70, "Bosnia and Herzegovina") \
    X(BW, "BWA", 72, "Botswana") \
    X(BV, "BVT", 74, "Bouvet Island") \
    X(BR, "BRA", 76, "Brazil") \
    X(IO, "IOT", 86, "British Indian Ocean Territory") \
    X(BN, "BRN", 96, "Brunei") \
    X(BG, "BGR", 100, "Bulgaria") \
    X(BF, "BFA", 854, "Burkina Faso") \
    X(BI, "BDI", 108, "Burundi") \
    X(CV, "CPV", 132, "Cabo Verde") \
    X(KH, "KHM", 116, "Cambodia") \
    X(CM, "CMR", 120, "Cameroon") \
    X(CA, "CAN", 124, "Canada") \
    X(KY, "CYM", 136, "Cayman Islands") \
    X(CF, "CAF", 140, "Central African Republic") \
    X(TD, "TCD", 148, "Chad") \
    X(CL, "CHL", 152, "Chile") \
    X(CN, "CHN", 156, "China") \
    X(CX, "CXR", 162, "Christmas Island") \
    X(CC, "CCK", 166, "Cocos (Keeling) Islands") \
    X(CO, "COL", 170, "Colombia") \
    X(KM, "COM", 174, "Comoros") \
    X(CG, "COG", 178, "Congo") \
    X(CD, "COD", 180, "Democratic Republic of the Congo") \
    X(CK, "COK", 184, "Cook Islands") \
    X(CR, "CRI", 188, "Costa Rica") \
    X(CI, "CIV", 384, "Côte d'Ivoire") \
    X(HR, "HRV", 191, "Croatia") \
    X(CU, "CUB", 192, "Cuba") \
    X(CW, "CUW", 531, "Curaçao") \
    X(CY, "CYP", 196, "Cyprus") \
    X(CZ, "CZE", 203, "Czechia") \
    X(DK, "DNK", 208, "Denmark") \
    X(DJ, "DJI", 262, "Djibouti") \
    X(DM, "DMA", 212, "Dominica") \
    X(DO, "DOM", 214, "Dominican Republic") \
    X(EC, "ECU", 218, "Ecuador") \
    X(EG, "EGY", 818, "Egypt") \
    X(SV, "SLV", 222, "El Salvador") \
    X(GQ, "GNQ", 226, "Equatorial Guinea") \
    X(ER, "ERI", 232, "Eritrea") \
    X(EE, "EST", 233, "Estonia") \
    X(SZ, "SWZ", 748, "Eswatini") \
    X(ET, "ETH", 231, "Ethiopia") \
    X(FK, "FLK", 238, "Falkland Islands") \
    X(FO, "FRO", 234, "Faroe Islands") \
    X(FJ, "FJI", 242, "Fiji") \
    X(FI, "FIN", 246, "Finland") \
    X(FR, "FRA", 250, "France") \
    X(GF, "GUF", 254, "French Guiana") \
    X(PF, "PYF", 258, "French Polynesia") \
    X(TF, "ATF", 260, "French Southern Territories") \
    X(GA, "GAB", 266, "Gabon") \
    X(GM, "GMB", 270, "Gambia") \
    X(GE, "GEO", 268, "Georgia") \
    X(DE, "DEU", 276, "Germany") \
    X(GH, "GHA", 288, "Ghana") \
    X(GI, "GIB", 292, "Gibraltar") \
    X(GR, "GRC", 300, "Greece") \
    X(GL, "GRL", 304, "Greenland") \
    X(GD, "GRD", 308, "Grenada") \
    X(GP, "GLP", 312, "Guadeloupe") \
    X(GU, "GUM", 316, "Guam") \
    X(GT, "GTM", 320, "Guatemala") \
    X(GG, "GGY", 831, "Guernsey") \
    X(GN, "GIN", 324, "Guinea") \
    X(GW, "GNB", 624, "Guinea-Bissau") \
    X(GY, "GUY", 328, "Guyana") \
    X(HT, "HTI", 332, "Haiti") \
    X(HM, "HMD", 334, "Heard Island and McDonald Islands") \
    X(VA, "VAT", 336, "Holy See") \
    X(HN, "HND", 340, "Honduras") \
    X(HK, "HKG", 344, "Hong Kong") \
    X(HU, "HUN", 348, "Hungary") \
    X(IS, "ISL", 352, "Iceland") \
    X(IN, "IND", 356, "India") \
    X(ID, "IDN", 360, "Indonesia") \
    X(IR, "IRN", 364, "Iran") \
    X(IQ, "IRQ", 368, "Iraq") \
    X(IE, "IRL", 372, "Ireland") \
    X(IM, "IMN", 833, "Isle of Man") \
    X(IL, "ISR", 376, "Israel") \
    X(IT, "ITA", 380, "Italy") \
    X(JM, "JAM", 388, "Jamaica") \
    X(JP, "JPN", 392, "Japan") \
    X(JE, "JEY", 832, "Jersey") \
    X(JO, "JOR", 400, "Jordan") \
    X(KZ, "KAZ", 398, "Kazakhstan") \
    X(KE, "KEN", 404, "Kenya") \
    X(KI, "KIR", 296, "Kiribati") \
    X(KP, "PRK", 408, "North Korea") \
    X(KR, "KOR", 410, "South Korea") \
    X(KW, "KWT", 414, "Kuwait") \
    X(KG, "KGZ", 417, "Kyrgyzstan") \
    X(LA, "LAO", 418, "Laos") \
    X(LV, "LVA", 428, "Latvia") \
    X(LB, "LBN", 422, "Lebanon") \
    X(LS, "LSO", 426, "Lesotho") \
    X(LR, "LBR", 430, "Liberia") \
    X(LY, "LBY", 434, "Libya") \
    X(LI, "LIE", 438, "Liechtenstein") \
    X(LT, "LTU", 440, "Lithuania") \
    X(LU, "LUX", 442, "Luxembourg") \
    X(MO, "MAC", 446, "Macao") \
    X(MG, "MDG", 450, "Madagascar") \
    X(MW, "MWI", 454, "Malawi") \
    X(MY, "MYS", 458, "Malaysia") \
    X(MV, "MDV", 462, "Maldives") \
    X(ML, "MLI", 466, "Mali") \
    X(MT, "MLT", 470, "Malta") \
    X(MH, "MHL", 584, "Marshall Islands") \
    X(MQ, "MTQ", 474, "Martinique") \
    X(MR, "MRT", 478, "Mauritania") \
    X(MU, "MUS", 480, "Mauritius") \
    X(YT, "MYT", 175, "Mayotte") \
    X(MX, "MEX", 484, "Mexico") \
    X(FM, "FSM", 583, "Micronesia") \
    X(MD, "MDA", 498, "Moldova") \
    X(MC, "MCO", 492, "Monaco") \
    X(MN, "MNG", 496, "Mongolia") \
    X(ME, "MNE", 499, "Montenegro") \
    X(MS, "MSR", 500, "Montserrat") \
    X(MA, "MAR", 504, "Morocco") \
    X(MZ, "MOZ", 508, "Mozambique") \
    X(MM, "MMR", 104, "Myanmar") \
    X(NA, "NAM", 516, "Namibia") \
    X(NR, "NRU", 520, "Nauru") \
    X(NP, "NPL", 524, "Nepal") \
    X(NL, "NLD", 528, "Netherlands") \
    X(NC, "NCL", 540, "New Caledonia") \
    X(NZ, "NZL", 554, "New Zealand") \
    X(NI, "NIC", 558, "Nicaragua") \
    X(NE, "NER", 562, "Niger") \
    X(NG, "NGA", 566, "Nigeria") \
    X(NU, "NIU", 570, "Niue") \
    X(NF, "NFK", 574, "Norfolk Island") \
    X(MK, "MKD", 807, "North Macedonia") \
    X(MP, "MNP", 580, "Northern Mariana Islands") \
    X(NO, "NOR", 578, "Norway") \
    X(OM, "OMN", 512, "Oman") \
    X(PK, "PAK", 586, "Pakistan") \
    X(PW, "PLW", 585, "Palau") \
    X(PS, "PSE", 275, "Palestine") \
    X(PA, "PAN", 591, "Panama") \
    X(PG, "PNG", 598, "Papua New Guinea") \
    X(PY, "PRY", 600, "Paraguay") \
    X(PE, "PER", 604, "Peru") \
    X(PH, "PHL", 608, "Philippines") \
    X(PN, "PCN", 612, "Pitcairn") \
    X(PL, "POL", 616, "Poland") \
    X(PT, "PRT", 620, "Portugal") \
    X(PR, "PRI", 630, "Puerto Rico") \
    X(QA, "QAT", 634, "Qatar") \
    X(RE, "REU", 638, "Réunion") \
    X(RO, "ROU", 642, "Romania") \
    X(RU, "RUS", 643, "Russia") \
    X(RW, "RWA", 646, "Rwanda") \
    X(BL, "BLM", 652, "Saint Barthélemy") \
    X(SH, "SHN", 654, "Saint Helena") \
    X(KN, "KNA", 659, "Saint Kitts and Nevis") \
    X(LC, "LCA", 662, "Saint Lucia") \
    X(MF, "MAF", 663, "Saint Martin") \
    X(PM, "SPM", 666, "Saint Pierre and Miquelon") \
    X(VC, "VCT", 670, "Saint Vincent and the Grenadines") \
    X(WS, "WSM", 882, "Samoa") \
    X(SM, "SMR", 674, "San Marino") \
    X(ST, "STP", 678, "Sao Tome and Principe") \
    X(SA, "SAU", 682, "Saudi Arabia") \
    X(SN, "SEN", 686, "Senegal") \
    X(RS, "SRB", 688, "Serbia") \
    X(SC, "SYC", 690, "Seychelles") \
    X(SL, "SLE", 694, "Sierra Leone") \
    X(SG, "SGP", 702, "Singapore") \
    X(SX, "SXM", 534, "Sint Maarten") \
    X(SK, "SVK", 703, "Slovakia") \
    X(SI, "SVN", 705, "Slovenia") \
    X(SB, "SLB", 90, "Solomon Islands") \
    X(SO, "SOM", 706, "Somalia") \
    X(ZA, "ZAF", 710, "South Africa") \
    X(GS, "SGS", 239, "South Georgia and the South Sandwich Islands") \
    X(SS, "SSD", 728, "South Sudan") \
    X(ES, "ESP", 724, "Spain") \
    X(LK, "LKA", 144, "Sri Lanka") \
    X(SD, "SDN", 729, "Sudan") \
    X(SR, "SUR", 740, "Suriname") \
    X(SJ, "SJM", 744, "Svalbard and Jan Mayen") \
    X(SE, "SWE", 752, "Sweden") \
    X(CH, "CHE", 756, "Switzerland") \
    X(SY, "SYR", 760, "Syria") \
    X(TW, "TWN", 158, "Taiwan") \
    X(TJ, "TJK", 762, "Tajikistan") \
    X(TZ, "TZA", 834, "Tanzania") \
    X(TH, "THA", 764, "Thailand") \
    X(TL, "TLS", 626, "Timor-Leste") \
    X(TG, "TGO", 768, "Togo") \
    X(TK, "TKL", 772, "Tokelau") \
    X(TO, "TON", 776, "Tonga") \
    X(TT, "TTO", 780, "Trinidad and Tobago") \
    X(TN, "TUN", 788, "Tunisia") \
    X(TR, "TUR", 792, "Türkiye") \
    X(TM, "TKM", 795, "Turkmenistan") \
    X(TC, "TCA", 796, "Turks and Caicos Islands") \
    X(TV, "TUV", 798, "Tuvalu") \
    X(UG, "UGA", 800, "Uganda") \
    X(UA, "UKR", 804, "Ukraine") \
    X(AE, "ARE", 784, "United Arab Emirates") \
    X(GB, "GBR", 826, "United Kingdom") \
    X(US, "USA", 840, "United States") \
    X(UM, "UMI", 581, "United States Minor Outlying Islands") \
    X(UY, "URY", 858, "Uruguay") \
    X(UZ, "UZB", 860, "Uzbekistan") \
    X(VU, "VUT", 548, "Vanuatu") \
    X(VE, "VEN", 862, "Venezuela") \
    X(VN, "VNM", 704, "Viet Nam") \
    X(VG, "VGB", 92, "British Virgin Islands") \
    X(VI, "VIR", 850, "United States Virgin Islands") \
    X(WF, "WLF", 876, "Wallis and Futuna") \
    X(EH, "ESH", 732, "Western Sahara") \
    X(YE, "YEM", 887, "Yemen") \
    X(ZM, "ZMB", 894, "Zambia") \
    X(ZW, "ZWE", 716, "Zimbabwe") \
    X(XK, "XKX", 412, "Kosovo")
// clang-format on
