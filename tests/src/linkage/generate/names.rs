//! Names by country, the frequent ones first; spellings of one name with `|` between, the usual
//! one first.

/// Where people come from.
#[derive(Debug)]
pub struct Country {
    /// ISO 3166-1.
    pub code: &'static str,
    /// Family names.
    pub families: &'static [&'static str],
    /// Given names of men.
    pub men: &'static [&'static str],
    /// Those of women.
    pub women: &'static [&'static str],
}

/// Names of Italy.
#[rustfmt::skip]
pub const ITALY: Country = Country { code: "IT", families: &[
    "Rossi", "Russo", "Ferrari", "Esposito", "Bianchi", "Romano", "Colombo", "Ricci", "Marino",
        "Greco", "Bruno", "Gallo", "Conti", "De Luca|Deluca", "Mancini", "Costa", "Giordano",
        "Rizzo", "Lombardi", "Moretti", "Barbieri", "Fontana", "Santoro", "Mariani", "Rinaldi",
        "Caruso", "Ferrara", "Galli", "Martini", "Leone", "Longo", "Gentile", "Martinelli",
        "Vitale", "Lombardo", "Serra", "Coppola", "De Santis|Desantis", "D'Angelo|Dangelo",
        "Marchetti", "Parisi", "Villa", "Conte", "Ferraro", "Ferri", "Fabbri", "Bianco",
        "Marini", "Grasso", "Valentini", "Messina", "Sala", "De Angelis|Deangelis", "Gatti",
        "Pellegrini", "Palumbo", "Sanna", "Farina", "Rizzi", "Monti", "Cattaneo", "Morelli",
        "Amato", "Silvestri", "Mazza", "Testa", "Grassi", "Pellegrino", "Carbone", "Giuliani",
        "Benedetti", "Barone", "Rossetti", "Caputo", "Montanari", "Guerra", "Palmieri",
        "Bernardi", "Martino", "Fiore", "De Rosa|Derosa", "Ferretti", "Bellini", "Basile",
        "Riva", "Donati", "Piras", "Vitali", "Battaglia", "Sartori", "Neri", "Costantini",
        "Milani", "Pagano", "Ruggiero", "Sorrentino", "D'Amico|Damico", "Orlando", "Damiani",
        "Negri"],
  men: &["Giuseppe", "Antonio", "Giovanni", "Mario", "Francesco", "Luigi", "Vincenzo",
        "Salvatore", "Angelo", "Pietro", "Andrea", "Marco", "Luca", "Paolo", "Domenico",
        "Roberto", "Stefano", "Alessandro", "Gian Luca|Gianluca", "Michele", "Carlo", "Franco",
        "Bruno", "Nicola", "Giorgio", "Claudio", "Fabio", "Massimo", "Davide", "Simone",
        "Enrico", "Maurizio", "Sergio", "Matteo", "Daniele"],
  women: &["Maria", "Anna", "Giuseppina", "Rosa", "Angela", "Giovanna", "Teresa", "Lucia",
        "Carmela", "Caterina", "Francesca", "Anna Maria|Annamaria", "Antonietta", "Elena",
        "Concetta", "Rita", "Laura", "Paola", "Sara", "Giulia", "Chiara", "Silvia", "Patrizia",
        "Daniela", "Valentina", "Federica", "Elisa", "Martina", "Simona", "Cristina"] };

/// Names of Bangladesh.
#[rustfmt::skip]
pub const BANGLADESH: Country = Country { code: "BD", families: &[
    "Hossain|Hosen|Hussain|Hossen", "Islam|Eslam|Isalm", "Rahman|Rehman|Rohman",
        "Miah|Mia|Miya|Meah", "Uddin|Udin|Ouddin", "Ahmed|Ahmad|Ahamed", "Khan",
        "Akter|Aktar|Akhter", "Begum|Begom", "Alam|Alom", "Sarkar|Sarker",
        "Chowdhury|Choudhury|Chaudhury|Chowdhuri", "Howlader|Hawlader|Haolader",
        "Sikder|Shikder|Sikdar", "Khatun|Khatoon", "Molla|Mollah", "Sheikh|Shaikh|Sheik", "Mia",
        "Talukder|Talukdar", "Bhuiyan|Bhuiya|Bhuyan", "Das", "Roy|Ray", "Sultana",
        "Parvin|Parveen|Parbin", "Bepari|Byapari", "Matubber|Matbor", "Madbor|Madber",
        "Dewan|Dewaan", "Kazi|Qazi", "Munshi|Monshi", "Pramanik|Paramanik", "Mondal|Mandal",
        "Haque|Hoque|Haq", "Kabir|Kobir", "Mahmud|Mahmood|Mahmoud", "Karim|Korim", "Ali",
        "Hasan|Hassan", "Siddique|Siddiqui|Siddik", "Patwary|Patwari"],
  men: &["Md Kamal|Mohammad Kamal|Kamal", "Md Rafiq|Rafiqul|Md Rafik", "Abdul Karim|Abdul Korim", "Jahangir|Jahangeer|Zahangir", "Shahin|Shaheen|Sahin", "Monir|Munir|Moneer",
        "Sohel|Suhel|Shohel", "Alamgir|Alomgir", "Delwar|Dilwar|Delowar", "Md Ripon|Ripon|Repon", "Md Rasel|Rasel|Russell", "Shakil|Sakil", "Faruk|Farooq|Faruque",
        "Mizanur|Mijanur", "Habib|Habibur", "Saiful|Syful|Saifool", "Nazrul|Nozrul",
        "Anwar|Anowar", "Babul|Babool", "Liton|Litton", "Sumon|Suman", "Masud|Masood",
        "Arif|Areef", "Tariqul|Tarikul", "Jamal|Zamal", "Belal|Bilal|Billal", "Selim|Salim",
        "Harun|Haroon", "Shamim|Samim", "Nasir|Naser"],
  women: &["Nasrin|Nasreen", "Fatema|Fatima", "Ruma|Rooma", "Salma", "Shirin|Shireen",
        "Rahima|Rohima", "Ayesha|Aysha", "Jesmin|Jasmin|Yesmin", "Taslima|Toslima",
        "Momtaz|Mumtaz", "Nargis|Nargish", "Rina|Reena", "Hasina|Hosina", "Sultana|Soltana",
        "Kohinoor|Kohinur"] };

/// Names of India.
#[rustfmt::skip]
pub const INDIA: Country = Country { code: "IN", families: &[
    "Singh|Sing", "Kaur|Kour", "Kumar|Kumaar", "Gill|Ghill", "Sandhu|Sandu",
        "Dhillon|Dhilon|Dillon", "Sharma", "Sidhu|Siddhu", "Grewal|Garewal", "Lal|Laal", "Ram",
        "Rani", "Devi", "Bains|Bans", "Saini|Sainy", "Dhaliwal|Dhaliwall", "Multani",
        "Chahal|Chahel", "Virk|Wirk", "Brar|Barar", "Heer|Hir", "Pal|Paul", "Chand|Chander",
        "Kumari", "Thakur|Takur", "Mann|Man", "Sohal|Sohall", "Randhawa|Randhava", "Deol|Dhiol",
        "Aulakh|Aulak"],
  men: &["Gurpreet|Gurprit|Gurpriet", "Harpreet|Harprit", "Jaswinder|Jasvinder|Jasbinder",
        "Baljit|Baljeet", "Manpreet|Manprit", "Sukhwinder|Sukhvinder|Sukwinder",
        "Kuldeep|Kuldip", "Rajinder|Rajender", "Amarjit|Amarjeet", "Balwinder|Balvinder",
        "Lakhwinder|Lakhvinder", "Paramjit|Parmjit|Paramjeet", "Gurmeet|Gurmit",
        "Harjinder|Harjeender", "Satnam|Sat Nam", "Ranjit|Ranjeet", "Sandeep|Sandip",
        "Jagdeep|Jagdip", "Mandeep|Mandip", "Surjit|Surjeet", "Avtar|Awtar", "Mohan",
        "Vijay|Vijai", "Sunil|Suneel", "Hardeep|Hardip", "Tarsem|Tarsaim", "Nirmal",
        "Bhupinder|Bupinder", "Karamjit|Karmjit", "Davinder|Devinder"],
  women: &["Manjit|Manjeet", "Simran|Simaran", "Rupinder|Roopinder", "Jasvir|Jasveer",
        "Kamaljit|Kamaljeet", "Navneet|Navnit", "Sukhpreet|Sukhprit", "Amandeep|Amandip",
        "Kiran", "Sunita|Suneeta", "Reena|Rina", "Parminder|Perminder"] };

/// Names of Pakistan.
#[rustfmt::skip]
pub const PAKISTAN: Country = Country { code: "PK", families: &[
    "Khan", "Ahmed|Ahmad", "Hussain|Hussein|Husain", "Ali", "Iqbal|Ikbal",
        "Mahmood|Mehmood|Mahmud", "Malik|Maliq", "Butt|Bhatt", "Akhtar|Akhter", "Raza|Rasa",
        "Shah|Sha", "Aslam|Aslim", "Bibi", "Begum", "Ullah|Ulla", "Javed|Javaid|Jawed",
        "Nawaz|Navaz", "Riaz|Riyaz", "Saleem|Salim", "Tariq|Tarik", "Yousaf|Yousuf|Yusaf",
        "Zaman|Zamaan", "Chaudhry|Choudhary", "Qureshi|Quraishi", "Abbas", "Rehman|Rahman",
        "Mirza|Mirsa", "Arshad|Arshed", "Farooq|Faruk", "Aziz|Azeez"],
  men: &["Muhammad|Mohammad|Mohd", "Asif|Aasif", "Imran|Emran", "Shahid|Shaheed", "Usman|Osman",
        "Adnan", "Waqas|Wakas", "Bilal|Belal", "Zeeshan|Zishan", "Kashif|Kasif", "Naveed|Navid",
        "Amjad|Amjed", "Sajid|Sajjad", "Irfan|Erfan", "Ghulam|Gulam", "Rizwan|Rizvan",
        "Tanveer|Tanvir", "Faisal|Faysal", "Nadeem|Nadim", "Waseem|Wasim", "Shahbaz|Shabaz",
        "Zubair|Zubayr", "Azhar", "Khalid|Khaled", "Mudassar|Mudasir"],
  women: &["Nasreen|Nasrin", "Shazia|Shaziya", "Samina|Sameena", "Rubina|Robina", "Saima|Sayma",
        "Farzana", "Kausar|Kousar", "Parveen|Parvin", "Rukhsana|Ruksana", "Naseem|Nasim"] };

/// Names of Morocco.
#[rustfmt::skip]
pub const MOROCCO: Country = Country { code: "MA", families: &[
    "El Idrissi|Idrissi|Al Idrissi", "Alaoui|Alawi|El Alaoui", "Benali|Ben Ali", "El Amrani|Amrani", "Haddad|Hadad", "Bouzid|Bouzidi", "Chaoui|Shaoui|Chawi",
        "Mansouri|Mansuri", "Tahiri|Taheri", "Zeroual|Zerwal", "Ouali|Wali", "Khalil|Halil",
        "Saidi|Saïdi|Saydi", "Berrada|Berada", "Bennani|Benani", "El Fassi|Fassi|El Fasi",
        "Naciri|Nassiri|Nasiri", "Ziani|Zyani", "Lahlou|Lahlu", "Bouazza|Bouaza", "Rami",
        "Chakir|Shakir", "Hamdi|Hamdy", "Jabri|Djabri", "El Khattabi|Khattabi|El Khatabi",
        "Moussaoui|Mousaoui|Musawi", "Karimi|Karimy", "Sabri|Sabry", "Bakkali|Bakali",
        "Ghazali|Ghazaly", "Tazi|Tazy", "Belhaj|Bel Haj|Belhadj", "Mouhib|Muhib", "Azizi",
        "Rachidi|Rashidi", "Daoudi|Dawdi|Daudi", "Kabbaj|Kabaj", "Filali|Fillali",
        "Hajji|Haji|Hadji", "Benjelloun|Benjelloun"],
  men: &["Mohamed|Mohammed|Muhammad", "Ahmed|Ahmad", "Youssef|Yusef|Yousef", "Hassan|Hasan",
        "Abdelkader|Abd El Kader|Abdelkadir", "Rachid|Rashid", "Mustapha|Mostafa|Mustafa",
        "Said|Saïd|Sayd", "Abderrahim|Abdul Rahim|Abderahim", "Khalid|Halid|Khaled",
        "Abdellah|Abdallah", "Brahim|Ibrahim", "Driss|Idriss", "Hicham|Hisham", "Omar|Oumar",
        "Karim|Kareem", "Noureddine|Nourdine|Nureddin", "Jamal|Djamal", "Aziz", "Hamid|Hameed",
        "Mounir|Munir", "Redouane|Ridouane|Redwan", "Tarik|Tariq", "Abdelilah|Abdelillah",
        "Anouar|Anwar", "Bouchaib|Buchaib", "Larbi|El Arbi", "Miloud|Milud",
        "Soufiane|Sofiane|Sufian", "Zakaria|Zakariya"],
  women: &["Fatima|Fatma|Fatimah", "Khadija|Hadija|Khadidja", "Aicha|Aisha|Aïcha",
        "Naima|Nayma", "Zineb|Zaynab|Zeineb", "Malika|Maleeka", "Hanane|Hanan",
        "Samira|Samirah", "Nadia|Nadya", "Latifa|Latiffa", "Karima|Kareema", "Rachida|Rashida",
        "Houda|Huda", "Meryem|Mariam|Maryam", "Saida|Saïda"] };

/// Names of Egypt.
#[rustfmt::skip]
pub const EGYPT: Country = Country { code: "EG", families: &[
    "Mohamed|Mohammed", "Ahmed|Ahmad", "Hassan|Hasan", "Ibrahim|Ebrahim", "Mahmoud|Mahmud",
        "Ali|Aly", "Abdelrahman|Abd El Rahman|Abdel Rahman", "El Sayed|Elsayed|Al Sayed",
        "Mostafa|Mustafa", "Gaber|Jaber", "Khalil|Khaleel", "Fathy|Fathi", "Shaaban|Shaban",
        "Soliman|Suleiman", "Abdallah|Abdalla|Abdullah", "Ramadan|Ramadhan", "Youssef|Yousef",
        "Zaki|Zaky", "Metwally|Metwali", "Hegazy|Hijazi", "Salama|Salamah", "Gomaa|Jumaa|Goma",
        "Mansour|Mansur", "Eid|Aid", "Attia|Ateya|Atia"],
  men: &["Mohamed|Mohammed", "Ahmed|Ahmad", "Mahmoud|Mahmud", "Mostafa|Mustafa",
        "Khaled|Khalid", "Amr|Amro", "Karim|Kareem", "Tamer|Tamir", "Hany|Hani", "Sameh|Samih",
        "Essam|Isam", "Walid|Waleed", "Ashraf|Achraf", "Hesham|Hisham", "Wael|Wail",
        "Ayman|Aiman", "Ehab|Ihab", "Sherif|Shereef|Cherif", "Magdy|Majdi", "Ragab|Rajab"],
  women: &["Fatma|Fatima", "Mona|Muna", "Hoda|Huda", "Amal", "Nagwa|Najwa", "Samia|Samya",
        "Zeinab|Zaynab", "Heba|Hiba", "Eman|Iman", "Doaa|Duaa"] };

/// Names of Senegal.
#[rustfmt::skip]
pub const SENEGAL: Country = Country { code: "SN", families: &[
    "Diop|Diobe", "Ndiaye|N'Diaye|Njie", "Fall|Fal", "Diallo|Dialo|Jallow", "Sow|So",
        "Gueye|Guèye|Gueÿe", "Sarr|Sar", "Seck|Sek", "Faye|Fay", "Ba|Bah", "Sy|Sye",
        "Diouf|Diuf", "Mbaye|M'Baye|Mbay", "Cissé|Cisse|Ceesay", "Thiam|Tiam", "Diagne|Diane",
        "Kane|Kan", "Niang|Nyang", "Ly", "Dieng|Jeng", "Camara|Kamara", "Sane|Sané",
        "Mane|Mané", "Badji|Badjie", "Toure|Touré|Turay", "Samb|Samba", "Lo|Loh", "Wade|Ouade",
        "Ndour|N'Dour", "Dia|Jah"],
  men: &["Mamadou|Mamadu|Momodou", "Ousmane|Ousman|Usman", "Ibrahima|Ibrahim|Ebrima",
        "Moussa|Musa", "Cheikh|Sheikh|Cheick", "Abdoulaye|Abdulai|Abdoulay", "Modou|Modu",
        "Alioune|Aliune|Alione", "Amadou|Amadu|Hamadou", "Omar|Oumar", "Pape|Papa",
        "Serigne|Sering|Serign", "Babacar|Boubacar|Babakar", "Assane|Hassane", "Malick|Malik",
        "Lamine|Lamin", "Ismaila|Ismaël", "Saliou|Saliu", "El Hadji|Elhadji", "Demba|Dembo"],
  women: &["Fatou|Fatu", "Aminata|Aminatta", "Awa|Haoua", "Mariama|Mariame",
        "Aissatou|Isatou|Aïssatou", "Ndeye|N'Deye|Ndey", "Khady|Hady", "Coumba|Kumba",
        "Astou|Astu", "Rokhaya|Rohaya"] };

/// Names of Mali.
#[rustfmt::skip]
pub const MALI: Country = Country { code: "ML", families: &[
    "Traore|Traoré|Trawally", "Diarra|Jara|Diara", "Coulibaly|Kulibali", "Keita|Keïta|Queita",
        "Sidibe|Sidibé", "Kone|Koné|Conneh", "Konate|Konaté|Conateh", "Diakite|Diakité|Jakite",
        "Sissoko|Cissokho|Sissokho", "Toure|Touré", "Dembele|Dembélé", "Sangare|Sangaré",
        "Camara|Kamara", "Sylla|Sila|Silla", "Doumbia|Dumbuya", "Fofana|Fofanah", "Maiga|Maïga",
        "Cisse|Cissé", "Bagayoko|Bagayogo", "Kante|Kanté|Conteh", "Sacko|Sako",
        "Dramé|Drame|Drammeh", "Tounkara|Tunkara", "Soumare|Soumaré|Sumareh",
        "Kouyate|Kouyaté|Kuyateh"],
  men: &["Bakary|Bakari|Boubacar", "Sekou|Sékou|Seku", "Adama|Adamah", "Amadou|Amadu",
        "Moussa|Musa", "Oumar|Omar", "Issa|Isa", "Seydou|Seidu", "Mamadou|Mamadu",
        "Souleymane|Suleiman|Soulemane", "Modibo|Modibbo", "Drissa|Idrissa", "Yacouba|Yakuba",
        "Lassana|Lassina", "Boubou|Bubu", "Daouda|Dauda", "Siaka|Ziaka", "Kalilou|Khalilu",
        "Abdoulaye|Abdoulay", "Fousseni|Fuseini"],
  women: &["Fatoumata|Fatumata|Fatou", "Aminata|Aminatta", "Mariam|Mariame", "Oumou|Umu",
        "Djeneba|Jeneba", "Kadiatou|Kadiatu|Hadiatou", "Assitan|Astan", "Rokia|Rokiatou"] };

/// Names of Gambia.
#[rustfmt::skip]
pub const GAMBIA: Country = Country { code: "GM", families: &[
    "Jallow|Diallo|Jalloh", "Ceesay|Sesay|Cissé", "Jobe|Diop|Jobbe", "Touray|Toure|Turay",
        "Camara|Kamara|Kamarah", "Bah|Ba", "Sowe|Sow", "Sanneh|Sané|Saneh", "Njie|Ndiaye|Njai",
        "Jammeh|Diame|Jameh", "Darboe|Darbo", "Conteh|Konte|Konteh", "Jawara|Diawara|Jawarra",
        "Bojang|Bodjan", "Sonko|Sonco", "Manneh|Mane|Maneh", "Drammeh|Drame", "Fatty|Fati|Faty",
        "Saidy|Saidi", "Kinteh|Kinte"],
  men: &["Lamin|Lamine", "Ebrima|Ibrahima|Ebrahima", "Alieu|Aliou|Aliu",
        "Momodou|Mamadou|Muhammed", "Ousman|Ousmane", "Modou|Modu", "Bakary|Bakari",
        "Sulayman|Suleiman|Souleymane", "Musa|Moussa", "Omar|Oumar", "Saikou|Sekou",
        "Buba|Bouba", "Yankuba|Yancouba", "Abdoulie|Abdoulaye|Abdouli", "Kebba|Keba"],
  women: &["Isatou|Aissatou|Aïssatou","Fatou|Fatu","Mariama|Mariame","Binta|Bintou","Awa|Hawa"] };

/// Names of Nigeria.
#[rustfmt::skip]
pub const NIGERIA: Country = Country { code: "NG", families: &[
    "Okafor|Okafo", "Okeke|Okeeke", "Obi|Oby", "Nwosu|Nwosou", "Eze|Ezeh", "Osagie|Osagi",
        "Omoruyi|Omoruy", "Igbinosa|Igbinoza", "Aigbe|Aigbé", "Osazuwa|Osasuwa", "Edo",
        "Ehigiator|Ehigiato", "Okoro|Okoroh", "Uche|Uchi", "Adeyemi|Adeyemy",
        "Ogunleye|Ogunley", "Balogun|Ballogun", "Ojo|Odjo", "Idahosa|Idahoza", "Osaro|Osaroh",
        "Iyamu|Yamu", "Enabulele|Enabulel", "Imasuen|Imaswen", "Aghedo|Agedo", "Uwaifo|Uaifo"],
  men: &["Emmanuel|Emanuel", "Samuel", "Victor|Viktor", "Friday|Fryday", "Sunday",
        "Godwin|Goodwin", "Lucky|Luky", "Osas|Osaz", "Kelvin|Kevin", "Collins|Colins",
        "Endurance", "Chukwudi|Chukudi", "Ifeanyi|Ifeany", "Osaretin|Osareti", "Ikenna|Ikena",
        "Felix", "Monday", "Prosper", "Austin|Augustine", "Destiny"],
  women: &["Blessing|Blesing", "Joy|Joi", "Faith|Fate", "Mercy|Mersy", "Grace|Gracie",
        "Precious|Preciuos", "Happiness|Happines", "Patience|Pacience", "Favour|Favor", "Gift",
        "Osariemen|Osarieme", "Esther|Ester", "Loveth|Lovet", "Queen", "Rita"] };

/// Names of Romania.
#[rustfmt::skip]
pub const ROMANIA: Country = Country { code: "RO", families: &["Popa", "Popescu", "Pop", "Radu",
        "Ionescu", "Dumitru", "Stoica", "Stan", "Gheorghe", "Rusu", "Munteanu", "Matei",
        "Marin", "Lazar|Lazăr", "Ciobanu", "Serban|Șerban", "Ionita|Ioniță", "Dinu",
        "Constantin", "Florea", "Tudor", "Moldovan", "Nistor", "Preda", "Dobre", "Barbu",
        "Nica", "Voicu", "Sandu", "Cojocaru", "Dragomir", "Neagu", "Toma", "Sava", "Enache",
        "Badea", "Cristea", "Balan|Bălan", "Iordache", "Manea", "Oprea", "Rotaru", "Ungureanu",
        "Zaharia", "Bucur"],
  men: &["Ion", "Gheorghe", "Vasile", "Constantin", "Nicolae", "Mihai", "Alexandru", "Ioan",
        "Dumitru", "Marian", "Florin", "Adrian", "Daniel", "Ionut|Ionuț", "Cristian", "Viorel",
        "Stefan|Ștefan", "Catalin|Cătălin", "Bogdan", "Petru", "Costel", "Gabriel",
        "Razvan|Răzvan", "Lucian", "Sorin"],
  women: &["Maria", "Elena", "Ana", "Mihaela", "Ioana", "Cristina", "Daniela", "Alina",
        "Mariana", "Gabriela", "Andreea", "Florentina", "Simona", "Nicoleta", "Monica",
        "Lenuta|Lenuța", "Rodica", "Valentina", "Camelia", "Loredana", "Claudia", "Angelica",
        "Viorica", "Doina", "Ramona"] };

/// Names of Albania.
#[rustfmt::skip]
pub const ALBANIA: Country = Country { code: "AL", families: &["Hoxha|Hoxhaj", "Shehu|Shehaj",
        "Prifti|Priftaj", "Kola|Kolaj", "Leka|Lekaj", "Gjoka|Gjokaj", "Hysa|Hysaj", "Dervishi",
        "Marku", "Basha|Bashaj", "Cela|Çela", "Murati|Murataj", "Ndreu|Ndreaj", "Doda|Dodaj",
        "Muca|Muça", "Rama|Ramaj", "Xhafa|Xhafaj", "Topalli", "Kuka|Kukaj", "Lleshi|Lleshaj",
        "Duka|Dukaj", "Gjini|Gjinaj", "Sula|Sulaj", "Mema|Memaj", "Halili|Halilaj"],
  men: &["Arben", "Artan", "Ilir", "Agim", "Bujar", "Fatos", "Gentian", "Dritan", "Edmond",
        "Besnik", "Altin", "Ardian|Adrian", "Luan", "Petrit", "Sokol", "Shpetim|Shpëtim",
        "Elton", "Klodian", "Erion", "Armand"],
  women: &["Mimoza", "Valbona", "Elvira", "Drita", "Vjollca|Vjolca", "Mirela", "Entela", "Alma",
        "Anila", "Elona", "Lindita", "Ermira", "Aferdita|Afërdita", "Majlinda", "Blerina"] };

/// Names of China.
#[rustfmt::skip]
pub const CHINA: Country = Country { code: "CN", families: &["Wang", "Li", "Zhang", "Liu",
        "Chen", "Yang", "Huang", "Zhao", "Wu", "Zhou", "Xu", "Sun", "Ma", "Zhu", "Hu", "Lin",
        "Guo", "He", "Gao", "Luo", "Zheng", "Liang", "Xie", "Song", "Tang", "Xu", "Deng", "Han",
        "Feng", "Cao", "Peng", "Zeng", "Xiao", "Tian", "Dong", "Pan", "Yuan", "Cai", "Jiang",
        "Yu", "Du", "Ye", "Cheng", "Wei", "Su", "Lu", "Ding", "Ren", "Shen", "Jin"],
  men: &["Wei", "Qiang", "Lei", "Jun", "Yong", "Jie", "Tao", "Ming", "Chao", "Gang", "Ping",
        "Hui", "Bin", "Jian", "Xiaoming|Xiao Ming", "Zhiqiang|Zhi Qiang", "Guoqiang|Guo Qiang",
        "Haifeng|Hai Feng", "Jianguo|Jian Guo", "Weidong|Wei Dong", "Xiaolong|Xiao Long",
        "Zhigang|Zhi Gang", "Liwei|Li Wei", "Jianjun|Jian Jun", "Xuefeng|Xue Feng",
        "Yongjun|Yong Jun", "Wenbin|Wen Bin", "Guohua|Guo Hua", "Xiaofeng|Xiao Feng", "Dawei|Da Wei"],
  women: &["Fang", "Na", "Min", "Jing", "Li", "Yan", "Xiuying|Xiu Ying", "Juan", "Xia", "Ying",
        "Lan", "Guiying|Gui Ying", "Xiaoli|Xiao Li", "Yulan|Yu Lan", "Meiling|Mei Ling",
        "Xiaoyan|Xiao Yan", "Lihua|Li Hua", "Hong", "Xue", "Qing", "Xiaohong|Xiao Hong",
        "Yumei|Yu Mei", "Chunmei|Chun Mei", "Suzhen|Su Zhen", "Ailian|Ai Lian"] };

/// Names of Peru.
#[rustfmt::skip]
pub const PERU: Country = Country { code: "PE", families: &["Quispe", "Flores",
        "Sanchez|Sánchez", "Garcia|García", "Rodriguez|Rodríguez", "Rojas", "Huaman|Huamán",
        "Mamani", "Diaz|Díaz", "Ramos", "Torres", "Chavez|Chávez", "Vasquez|Vásquez",
        "Castillo", "Espinoza|Espinosa", "Mendoza", "Gonzales|Gonzalez", "Gutierrez|Gutiérrez",
        "Lopez|López", "Perez|Pérez", "Fernandez|Fernández", "Cruz", "Ramirez|Ramírez",
        "Vargas", "Castro", "Silva", "Salazar", "Romero", "Paredes", "Aguilar", "Ortiz",
        "Medina", "Guerrero", "Cordova|Córdova", "Reyes"],
  men: &["Jose|José", "Luis", "Juan", "Carlos", "Jorge", "Victor|Víctor", "Miguel",
        "Cesar|César", "Pedro", "Manuel", "Julio", "Jesus|Jesús", "Walter", "Edgar", "Percy",
        "Oscar|Óscar", "Raul|Raúl", "Angel|Ángel", "Freddy|Fredy", "Wilmer|Wilmar"],
  women: &["Maria|María", "Rosa", "Ana", "Carmen", "Luz", "Juana", "Elizabeth|Elisabeth",
        "Julia", "Gladys|Gladis", "Nelly|Neli", "Martha|Marta", "Yolanda", "Flor", "Victoria",
        "Sonia", "Milagros", "Janeth|Yanet", "Vilma", "Norma", "Silvia"] };

/// Names of Ukraine, in Cyrillic: each office romanises by a table of its own.
#[rustfmt::skip]
pub const UKRAINE: Country = Country { code: "UA", families: &["Мельник", "Шевченко",
        "Коваленко", "Бондаренко", "Бойко", "Ткаченко", "Кравченко", "Ковальчук", "Коваль",
        "Олійник", "Шевчук", "Поліщук", "Бондар", "Ткачук", "Мороз", "Марченко", "Лисенко",
        "Руденко", "Савченко", "Петренко", "Кравчук", "Клименко", "Павленко", "Савчук",
        "Левченко", "Харченко", "Пономаренко", "Василенко", "Хоменко", "Костенко", "Гаврилюк",
        "Романюк", "Юрченко", "Яковенко", "Зінченко", "Приходько", "Захарчук", "Дячук",
        "Кузьменко", "Гончаренко", "Жук", "Щербак", "Цимбал", "Іваненко"],
  men: &["Олександр", "Сергій", "Володимир", "Андрій", "Микола", "Іван", "Василь", "Юрій",
        "Віктор", "Олег", "Михайло", "Анатолій", "Ігор", "Петро", "Дмитро", "Богдан", "Тарас",
        "Ярослав", "Роман", "Євген"],
  women: &["Олена", "Наталія", "Тетяна", "Ірина", "Оксана", "Світлана", "Людмила", "Галина",
        "Марія", "Любов", "Надія", "Ольга", "Ганна", "Валентина", "Юлія", "Катерина", "Віра",
        "Лариса", "Інна", "Зоряна", "Леся", "Жанна", "Христина", "Стефанія", "Яна"] };
