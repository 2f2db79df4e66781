(* What depth can do at most, and in the limit does: the constant H.

   For σ in class N let H be the least upper bound of (q − p) √(σ'(p) σ'(q)) over p ≤ q. At every depth the inputs with |f'| > c lie
   within H/c of each other; and for every k < H all sufficiently deep chains reach the width k/c, if only σ'' ≠ 0 somewhere. So H is
   the least constant that holds at all depths, and depth widens exactly if one neuron's constant K is less than H.

   Why deep chains reach H: take z with σ''(z) ≠ 0 and a small d, and let the two inputs arrive at every layer but the last as z and
   z + d, which weights and biases can always arrange. With Q = (σ(z + d) − σ(z))/d such a layer multiplies the two gradients by
   σ'(z)/Q ≈ 1 − κd/2 and σ'(z + d)/Q ≈ 1 + κd/2, where κ = σ''(z)/σ'(z). After n layers with d = τ/n this makes exp(−κτ/2) and
   exp(κτ/2): their product is 1, and their ratio, by the choice of τ, whatever we like. Let the last layer see p and q, and choose τ
   such that both gradients tend to (q − p) √(σ'(p) σ'(q)) over the distance of the inputs. *)
From Coq Require Import Reals Lra Psatz Lia Classical.
From Coquelicot Require Import Coquelicot.
From Coq Require Import List.
From GradTheory Require Import convex chain two_point class_n activations sharp.
Import ListNotations.
Open Scope R_scope.

(* Limits as d tends to 0. *)

Definition tends (f : R -> R) (l : R) := filterlim f (locally' 0) (locally l).

Lemma tends_const k : tends (fun _ => k) k.
Proof. apply filterlim_const. Qed.

Lemma tends_plus f g l m : tends f l -> tends g m -> tends (fun d => f d + g d) (l + m).
Proof.
  intros F G. apply (filterlim_comp_2 (G := locally l) (H := locally m) _ _ Rplus); [exact F | exact G |].
  apply (@filterlim_plus R_AbsRing R_NormedModule l m).
Qed.

Lemma tends_mult f g l m : tends f l -> tends g m -> tends (fun d => f d * g d) (l * m).
Proof.
  intros F G. apply (filterlim_comp_2 (G := locally l) (H := locally m) _ _ Rmult); [exact F | exact G |].
  apply (@filterlim_mult R_AbsRing l m).
Qed.

Lemma tends_comp (g : R -> R) f l : continuous g l -> tends f l -> tends (fun d => g (f d)) (g l).
Proof. intros G F. apply (filterlim_comp _ _ _ f g _ (locally l)); [exact F | exact G]. Qed.

Lemma tends_ext f g l m : (forall d, d <> 0 -> f d = g d) -> l = m -> tends f l -> tends g m.
Proof.
  intros E -> F. apply (filterlim_ext_loc f); [| exact F].
  exists (mkposreal 1 Rlt_0_1). intros d _ N. now apply E.
Qed.

Lemma exp_continuous z : continuous exp z.
Proof. apply (continuous_of_derivative exp z (exp z)). apply is_derive_Reals, derivable_pt_lim_exp. Qed.

(* aⁿ ≥ exp(n (1 − 1/a)), which is enough in place of limits of powers. *)
Lemma power_above_exp a n : 0 < a -> exp (INR n * (1 - / a)) <= a ^ n.
Proof.
  intros A. induction n as [| n IH].
  - simpl. rewrite Rmult_0_l, exp_0. lra.
  - rewrite S_INR. replace ((INR n + 1) * (1 - / a)) with ((1 - / a) + INR n * (1 - / a)) by ring. rewrite exp_plus. simpl.
    apply Rmult_le_compat; [left; apply exp_pos | left; apply exp_pos | | exact IH].
    pose proof (exp_ineq1_le (/ a - 1)) as E. replace (1 - / a) with (- (/ a - 1)) by ring. rewrite exp_Ropp.
    rewrite <- (Rinv_involutive a) at 2 by lra. apply Rinv_le_contravar; [now apply Rinv_0_lt_compat | lra].
Qed.

Lemma uniform_cons a w b rest : uniform a ((w, b) :: rest) = Layer a w b :: uniform a rest.
Proof. reflexivity. Qed.

(* A chain whose gradients at 0 and 1 exceed k gives the width k/c for every c, by its first weight. *)
Lemma unit_pair_attains a L k parameters : 0 < k -> length parameters = L -> parameters <> [] ->
  k < gradient (uniform a parameters) 0 -> k < gradient (uniform a parameters) 1 -> attains a L k.
Proof.
  intros K0 Len N X Y c eps C E. destruct parameters as [| [w b] rest]; [congruence |].
  assert (G : forall x, gradient (uniform a ((c / k * w, b) :: rest)) x = c / k * gradient (uniform a ((w, b) :: rest)) (c / k * x)).
  { intros x. rewrite !uniform_cons. cbn [gradient]. unfold neuron, neuron_slope, preactivation. cbn [act weight bias].
    replace (c / k * w * x + b) with (w * (c / k * x) + b) by ring. ring. }
  assert (P : 0 < c / k) by now apply Rdiv_lt_0_compat.
  exists ((c / k * w, b) :: rest), 0, (k / c). split; [exact Len |]. cbv zeta.
  rewrite !G, Rmult_0_r. replace (c / k * (k / c)) with 1 by (field; lra).
  assert (A : forall g, k < g -> c < Rabs (c / k * g)).
  { intros g Hg. rewrite Rabs_pos_eq by (apply Rmult_le_pos; lra). replace c with (c / k * k) at 1 by (field; lra).
    now apply Rmult_lt_compat_l. }
  split; [now apply A | split; [now apply A |]].
  assert (0 < k / c) by now apply Rdiv_lt_0_compat.
  replace (0 - k / c) with (- (k / c)) by ring. rewrite Rabs_Ropp, Rabs_pos_eq by lra. lra.
Qed.

(* Layers that each bring a point back to where it was. *)
Lemma repeated_layers a w b z n rest : w * value a z + b = z ->
  gradient (uniform a (repeat (w, b) n ++ rest)) (value a z) = gradient (uniform a rest) (value a z) * (w * slope a z) ^ n.
Proof.
  intros E. induction n as [| n IH].
  - simpl. ring.
  - cbn [repeat app]. rewrite uniform_cons. cbn [gradient]. unfold neuron, neuron_slope, preactivation. cbn [act weight bias].
    rewrite E, IH. simpl. ring.
Qed.

Section Deep_chains.
  Variable a : activation.
  Hypothesis slope_positive : forall z, 0 < slope a z.
  Hypothesis slope_continuous : forall z, continuous (slope a) z.
  Variables z curvature : R.
  Hypothesis second_derivative : is_derive (slope a) z curvature.
  Hypothesis curved : curvature <> 0.

  Let S := slope a z.
  Let Q (d : R) := (value a (z + d) - value a z) / d.

  Lemma Q_positive d : d <> 0 -> 0 < Q d.
  Proof.
    assert (I : forall p q, p < q -> value a p < value a q).
    { intros p q L. destruct (MVT_cor2 (value a) (slope a) p q L) as [c [E _]].
      - intros c _. apply is_derive_Reals, slope_is_derivative.
      - pose proof (slope_positive c). nra. }
    intros N. unfold Q. destruct (Rtotal_order d 0) as [L | [E | L]]; [| contradiction |].
    - replace ((value a (z + d) - value a z) / d) with ((value a z - value a (z + d)) / - d) by (field; lra).
      apply Rdiv_lt_0_compat; [| lra]. specialize (I (z + d) z ltac:(lra)). lra.
    - apply Rdiv_lt_0_compat; [| exact L]. specialize (I z (z + d) ltac:(lra)). lra.
  Qed.

  Lemma slope_quotient : tends (fun d => (slope a (z + d) - S) / d) curvature.
  Proof.
    apply (tends_ext (fun d => (slope a (z + d) - slope a (z + 0)) / d) _ curvature); [| reflexivity |].
    - intros d _. now rewrite Rplus_0_r.
    - apply (difference_quotient (fun d => slope a (z + d))). replace curvature with (1 * curvature) by ring.
      apply (is_derive_comp (slope a) (fun d => z + d)); [now rewrite Rplus_0_r | auto_derive; [exact I | ring]].
  Qed.

  (* By the mean value theorem: σ(z + d) = σ(z) + S d + σ''(z) d²/2 + o(d²). *)
  Lemma Q_quotient : tends (fun d => (Q d - S) / d) (curvature / 2).
  Proof.
    intros P [eps HP]. pose proof second_derivative as D. apply is_derive_Reals in D.
    destruct (D eps (cond_pos eps)) as [delta HD]. exists delta. intros d B N. apply HP.
    unfold ball in *; simpl in *; unfold AbsRing_ball, abs, minus, plus, opp in *; simpl in *.
    replace (d + - 0) with d in B by ring.
    set (e := fun t => value a (z + t) - S * t - curvature * t ^ 2 / 2).
    set (e' := fun t => slope a (z + t) - S - curvature * t).
    assert (E : forall t, is_derive e t (e' t)).
    { intros t. unfold e, e'. evar_last.
      - apply @is_derive_minus; [apply @is_derive_minus |].
        + apply (is_derive_comp (value a) (fun t => z + t) t (slope a (z + t)) 1);
            [apply slope_is_derivative | auto_derive; [exact I | ring]].
        + instantiate (1 := S). auto_derive; [exact I | ring].
        + instantiate (1 := curvature * t). auto_derive; [exact I | field].
      - unfold minus, plus, opp, scal; simpl; unfold mult; simpl. ring. }
    destruct (MVT_gen e 0 d e') as [c [Hc M]].
    { intros t _. apply E. }
    { intros t _. apply derivable_continuous_pt. exists (e' t). apply is_derive_Reals, E. }
    assert (C : Rabs c <= Rabs d).
    { revert Hc. unfold Rmin, Rmax. destruct (Rle_dec 0 d); intros [? ?].
      - rewrite !Rabs_pos_eq; lra.
      - rewrite !Rabs_left1; lra. }
    assert (F : Rabs (e' c) <= eps * Rabs c / 1).
    { destruct (Req_dec c 0) as [-> | Nc].
      - unfold e'. rewrite Rplus_0_r. fold S. replace (S - S - curvature * 0) with 0 by ring. rewrite Rabs_R0. lra.
      - specialize (HD c Nc ltac:(lra)). replace (e' c) with (((slope a (z + c) - slope a z) / c - curvature) * c)
          by (unfold e', S; field; exact Nc).
        rewrite Rabs_mult. unfold Rdiv. rewrite Rinv_1, Rmult_1_r. apply Rmult_le_compat_r; [apply Rabs_pos | lra]. }
    replace ((Q d - S) / d + - (curvature / 2)) with ((e d - e 0) / (d * d))
      by (unfold Q, e; rewrite Rplus_0_r; field; exact N).
    rewrite M. replace (e' c * (d - 0) / (d * d)) with (e' c / d) by (field; exact N).
    (* it remains that |e'(c)| < eps |d| *)
    unfold Rdiv. rewrite Rabs_mult, Rabs_Rinv by exact N. pose proof (Rabs_pos_lt d N) as Pd.
    apply (Rmult_lt_reg_r (Rabs d)); [exact Pd |]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
    destruct (Req_dec c 0) as [-> | Nc].
    - rewrite Rabs_R0 in F. pose proof (cond_pos eps). nra.
    - specialize (HD c Nc ltac:(lra)).
      replace (e' c) with (((slope a (z + c) - slope a z) / c - curvature) * c) by (unfold e', S; field; exact Nc).
      rewrite Rabs_mult. pose proof (Rabs_pos_lt c Nc) as Pc.
      apply Rlt_le_trans with (eps * Rabs c); [now apply Rmult_lt_compat_r |].
      apply Rmult_le_compat_l; [left; apply cond_pos | exact C].
  Qed.

  Lemma slope_tends : tends (fun d => slope a (z + d)) S.
  Proof.
    apply (tends_ext (fun d => slope a (z + d)) _ (slope a (z + 0))); [reflexivity | now rewrite Rplus_0_r |].
    apply (locally'_of_continuous (fun d => slope a (z + d))).
    apply (continuous_comp (fun d => z + d) (slope a)); [| apply slope_continuous].
    apply (continuous_of_derivative _ _ 1). auto_derive; [exact I | ring].
  Qed.

  (* The factor of the two gradients per layer, and what n = τ/d layers make of it. *)
  Lemma left_exponent tau : tends (fun d => tau / d * (1 - / (S / Q d))) (- (curvature / S * tau / 2)).
  Proof.
    pose proof (slope_positive z) as P. fold S in P.
    apply (tends_ext (fun d => - tau / S * ((Q d - S) / d)) _ (- tau / S * (curvature / 2))).
    - intros d N. pose proof (Q_positive d N). field. repeat split; lra.
    - field. lra.
    - apply tends_mult; [apply tends_const | apply Q_quotient].
  Qed.

  Lemma right_exponent tau : tends (fun d => tau / d * (1 - / (slope a (z + d) / Q d))) (curvature / S * tau / 2).
  Proof.
    pose proof (slope_positive z) as P. fold S in P.
    apply (tends_ext (fun d => tau * ((slope a (z + d) - S) / d + - 1 * ((Q d - S) / d)) * / slope a (z + d)) _
             (tau * (curvature + - 1 * (curvature / 2)) * / S)).
    - intros d N. pose proof (Q_positive d N). pose proof (slope_positive (z + d)). field. repeat split; lra.
    - field. lra.
    - apply tends_mult.
      + apply tends_mult; [apply tends_const |]. apply tends_plus; [apply slope_quotient |].
        apply tends_mult; [apply tends_const | apply Q_quotient].
      + apply (tends_comp Rinv); [| apply slope_tends].
        eapply continuous_of_derivative. auto_derive; [lra | reflexivity].
  Qed.

  (* The gradients at 0 and 1 of the chain that shows n layers the points z, z + d, and one more the points p, q. *)
  Lemma tower p q d n : d <> 0 -> exists parameters, length parameters = Datatypes.S (Datatypes.S n) /\
    gradient (uniform a parameters) 0 = (S / Q d) ^ Datatypes.S n * ((q - p) * slope a p) /\
    gradient (uniform a parameters) 1 = (slope a (z + d) / Q d) ^ Datatypes.S n * ((q - p) * slope a q).
  Proof.
    intros N. pose proof (Q_positive d N) as PQ.
    set (D := value a (z + d) - value a z). assert (ED : D = Q d * d) by (unfold D, Q; field; exact N).
    assert (ND : D <> 0) by (rewrite ED; apply Rmult_integral_contrapositive; lra).
    set (w := d / D). set (v := (q - p) / D).
    exists ((d, z) :: repeat (w, z - w * value a z) n ++ [(v, p - v * value a z)]).
    split; [simpl; rewrite app_length, repeat_length; simpl; lia |].
    assert (W : w = / Q d) by (unfold w; rewrite ED; field; lra).
    assert (V : v * d = (q - p) * / Q d) by (unfold v; rewrite ED; field; lra).
    assert (G : forall x t r, d * x + z = t -> w * value a t + (z - w * value a z) = t ->
      v * value a t + (p - v * value a z) = r ->
      gradient (uniform a ((d, z) :: repeat (w, z - w * value a z) n ++ [(v, p - v * value a z)])) x
      = (slope a t / Q d) ^ Datatypes.S n * ((q - p) * slope a r)).
    { intros x t r X T E.
      rewrite uniform_cons. cbn [gradient]. unfold neuron, neuron_slope, preactivation. cbn [act weight bias]. rewrite X.
      rewrite repeated_layers by exact T.
      rewrite uniform_cons. cbn [uniform map gradient]. unfold neuron_slope, preactivation. cbn [act weight bias].
      rewrite E, W. simpl pow. unfold Rdiv.
      replace (1 * (v * slope a r) * (/ Q d * slope a t) ^ n * (d * slope a t))
        with ((v * d) * slope a r * (/ Q d * slope a t) ^ n * slope a t) by ring.
      rewrite V, (Rmult_comm (/ Q d) (slope a t)). ring. }
    assert (Ew : w * value a (z + d) = w * value a z + d).
    { replace (value a (z + d)) with (value a z + D) by (unfold D; ring). unfold w. field. exact ND. }
    assert (Ev : v * value a (z + d) = v * value a z + (q - p)).
    { replace (value a (z + d)) with (value a z + D) by (unfold D; ring). unfold v. field. exact ND. }
    split; apply G; [ring | ring | ring | ring | rewrite Ew; ring | rewrite Ev; ring].
  Qed.

  Theorem deep_chains_attain p q k :
    p < q -> 0 < k -> k < (q - p) * sqrt (slope a p * slope a q) ->
    exists L0, forall L, (L0 <= L)%nat -> attains a L k.
  Proof.
    intros PQ K0 HK. pose proof (slope_positive p) as Pp. pose proof (slope_positive q) as Pq. pose proof (slope_positive z) as Pz.
    fold S in Pz.
    assert (Wp : 0 < (q - p) * slope a p) by (apply Rmult_lt_0_compat; lra).
    assert (Wq : 0 < (q - p) * slope a q) by (apply Rmult_lt_0_compat; lra).
    set (g := sqrt (slope a p * slope a q)) in *.
    assert (Eg : g = exp ((ln (slope a p) + ln (slope a q)) / 2)).
    { unfold g. rewrite <- Rpower_sqrt by nra. unfold Rpower. rewrite ln_mult by assumption. f_equal. field. }
    (* τ such that exp(−κτ/2) σ'(p) = exp(κτ/2) σ'(q) = g *)
    set (tau := (ln (slope a p) - ln (slope a q)) / (curvature / S)).
    assert (Et : curvature / S * tau / 2 = (ln (slope a p) - ln (slope a q)) / 2) by (unfold tau; field; repeat split; lra).
    assert (El : exp (- (curvature / S * tau / 2)) * ((q - p) * slope a p) = (q - p) * g).
    { rewrite Eg, Et. rewrite <- (exp_ln (slope a p)) at 2 by exact Pp. rewrite (Rmult_comm (q - p)), <- Rmult_assoc, <- exp_plus.
      rewrite Rmult_comm. do 2 f_equal. field. }
    assert (Er : exp (curvature / S * tau / 2) * ((q - p) * slope a q) = (q - p) * g).
    { rewrite Eg, Et. rewrite <- (exp_ln (slope a q)) at 2 by exact Pq. rewrite (Rmult_comm (q - p)), <- Rmult_assoc, <- exp_plus.
      rewrite Rmult_comm. do 2 f_equal. field. }
    destruct (Req_dec tau 0) as [T0 | T0].
    - (* equal slopes: one neuron *)
      exists 1%nat. intros L. apply (attains_at_every_depth a z 0); [apply Rgt_not_eq, Pz | exact slope_continuous |].
      rewrite T0 in El, Er. replace (curvature / S * 0 / 2) with 0 in * by (field; lra). rewrite Ropp_0, exp_0, Rmult_1_l in *.
      apply (unit_pair_attains a 1 k [(q - p, p)]); [exact K0 | reflexivity | discriminate | |];
        cbv [gradient uniform map fst snd neuron_slope preactivation act weight bias]; rewrite Rmult_1_l.
      + rewrite Rmult_0_r, Rplus_0_l, El. exact HK.
      + replace ((q - p) * 1 + p) with q by ring. rewrite Er. exact HK.
    - assert (P : k < Rabs ((q - p) * g)) by (apply Rlt_le_trans with (1 := HK), Rle_abs).
      assert (LL : tends (fun d => exp (tau / d * (1 - / (S / Q d))) * ((q - p) * slope a p)) ((q - p) * g)).
      { rewrite <- El. apply tends_mult; [| apply tends_const]. apply (tends_comp exp); [apply exp_continuous | apply left_exponent]. }
      assert (LR : tends (fun d => exp (tau / d * (1 - / (slope a (z + d) / Q d))) * ((q - p) * slope a q)) ((q - p) * g)).
      { rewrite <- Er. apply tends_mult; [| apply tends_const]. apply (tends_comp exp); [apply exp_continuous | apply right_exponent]. }
      destruct (filter_and _ _ (eventually_above _ _ _ _ _ LL P) (eventually_above _ _ _ _ _ LR P)) as [delta H].
      destruct (nfloor_ex (Rabs tau / delta)) as [m [_ Hm]].
      { apply Rdiv_le_0_compat; [apply Rabs_pos | apply cond_pos]. }
      exists (Datatypes.S (Datatypes.S m)). intros L HL. destruct L as [| [| n]]; [lia | lia |].
      assert (Hn : INR m + 1 <= INR (Datatypes.S n)) by (rewrite <- S_INR; apply le_INR; lia).
      assert (Pn : 0 < INR (Datatypes.S n)) by (apply lt_0_INR; lia).
      set (d := tau / INR (Datatypes.S n)).
      assert (Nd : d <> 0) by (unfold d, Rdiv; apply Rmult_integral_contrapositive; split; [exact T0 | apply Rinv_neq_0_compat; lra]).
      assert (Bd : Rabs d < delta).
      { unfold d, Rdiv. rewrite Rabs_mult, Rabs_Rinv, (Rabs_pos_eq (INR _)) by lra.
        apply (Rmult_lt_reg_r (INR (Datatypes.S n))); [exact Pn |]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
        pose proof (cond_pos delta) as Pd. apply (Rmult_lt_compat_r delta) in Hm; [| exact Pd].
        unfold Rdiv in Hm. rewrite Rmult_assoc, Rinv_l, Rmult_1_r in Hm by lra.
        apply Rlt_le_trans with (1 := Hm). rewrite Rmult_comm. apply Rmult_le_compat_l; lra. }
      destruct (H d) as [HL' HR'].
      { unfold ball; simpl; unfold AbsRing_ball, abs, minus, plus, opp; simpl. now replace (d + - 0) with d by ring. }
      { exact Nd. }
      cbv beta in HL', HR'. replace (tau / d) with (INR (Datatypes.S n)) in HL', HR' by (unfold d; field; lra).
      destruct (tower p q d n Nd) as (parameters & Len & X & Y).
      pose proof (Q_positive d Nd) as PQd. pose proof (slope_positive (z + d)) as Pzd.
      apply (unit_pair_attains a _ k parameters); [exact K0 | exact Len | intros ->; discriminate | |].
      + rewrite X. rewrite Rabs_pos_eq in HL' by (apply Rmult_le_pos; [left; apply exp_pos | lra]).
        apply Rlt_le_trans with (1 := HL'). apply Rmult_le_compat_r; [lra |]. apply power_above_exp. now apply Rdiv_lt_0_compat.
      + rewrite Y. rewrite Rabs_pos_eq in HR' by (apply Rmult_le_pos; [left; apply exp_pos | lra]).
        apply Rlt_le_trans with (1 := HR'). apply Rmult_le_compat_r; [lra |]. apply power_above_exp. now apply Rdiv_lt_0_compat.
  Qed.
End Deep_chains.

(* The constant H. *)

Definition pair_width (a : activation) (H : R) :=
  is_lub (fun k => exists p q, p <= q /\ k = (q - p) * sqrt (slope a p * slope a q)) H.

Lemma pair_bound_iff a H : (forall z, 0 < slope a z) -> 0 <= H ->
  pair_bound (slope a) H <-> forall p q, p <= q -> (q - p) * sqrt (slope a p * slope a q) <= H.
Proof.
  intros P H0.
  assert (E : forall p q, ((q - p) * sqrt (slope a p * slope a q)) ^ 2 = Rabs (slope a p) * Rabs (slope a q) * (q - p) ^ 2).
  { intros p q. pose proof (P p). pose proof (P q). rewrite !Rabs_pos_eq by lra. rewrite Rpow_mult_distr, pow2_sqrt by nra. ring. }
  split.
  - intros B p q L. specialize (B p q). rewrite <- E in B. apply Rsqr_incr_0; [unfold Rsqr; lra | | exact H0].
    apply Rmult_le_pos; [lra | apply sqrt_pos].
  - intros B p q. rewrite <- E. pose proof (sqrt_pos (slope a p * slope a q)).
    destruct (Rle_dec p q) as [L | L].
    + apply pow_incr. split; [apply Rmult_le_pos; lra | now apply B].
    + replace (((q - p) * sqrt (slope a p * slope a q)) ^ 2) with (((p - q) * sqrt (slope a q * slope a p)) ^ 2)
        by (rewrite (Rmult_comm (slope a q)); ring).
      rewrite (Rmult_comm (slope a p)) in *. apply pow_incr. split; [apply Rmult_le_pos; lra | apply B; lra].
Qed.

Lemma pair_width_nonnegative a H : pair_width a H -> 0 <= H.
Proof. intros [U _]. apply U. exists 0, 0. split; [lra | ring]. Qed.

Lemma pair_width_bound a H : (forall z, 0 < slope a z) -> pair_width a H -> pair_bound (slope a) H.
Proof.
  intros P W. apply pair_bound_iff; [exact P | now apply pair_width_nonnegative with a |].
  intros p q L. apply W. now exists p, q.
Qed.

(* A bounded activation of class N has such an H. *)
Theorem pair_width_exists a B : class_N a -> (forall z, Rabs (value a z) <= B) -> exists H, pair_width a H.
Proof.
  intros N V. destruct (completeness (fun k => exists p q, p <= q /\ k = (q - p) * sqrt (slope a p * slope a q))) as [H L].
  - exists (2 * B). intros k (p & q & Le & ->).
    pose proof (class_N_two_point a N p q) as T. pose proof (class_N_monotone a p q N Le) as M.
    pose proof (class_N_slope_positive a p N) as Pp. pose proof (class_N_slope_positive a q N) as Pq.
    rewrite !Rabs_pos_eq in T by lra.
    pose proof (V p) as Vp. pose proof (V q) as Vq. apply Rabs_le_between in Vp. apply Rabs_le_between in Vq.
    apply Rle_trans with (value a q - value a p); [| lra].
    apply Rsqr_incr_0; [| apply Rmult_le_pos; [lra | apply sqrt_pos] | lra].
    rewrite !Rsqr_pow2, Rpow_mult_distr, pow2_sqrt by nra. lra.
  - exists 0, 0, 0. split; [lra | ring].
  - now exists H.
Qed.

Theorem width_at_most_H a H parameters x y : class_N a -> pair_width a H ->
  parameters <> [] -> let f' := gradient (uniform a parameters) in Rabs (f' x) * Rabs (f' y) * (x - y) ^ 2 <= H ^ 2.
Proof.
  intros N W Ne f'. replace ((x - y) ^ 2) with ((y - x) ^ 2) by ring.
  apply uniform_chain_bound; [now apply class_N_two_point | | exact Ne].
  apply pair_width_bound; [| exact W]. intros z. now apply class_N_slope_positive.
Qed.

Theorem deep_chains_approach_H a z curvature H k :
  (forall z, 0 < slope a z) -> (forall z, continuous (slope a) z) -> is_derive (slope a) z curvature -> curvature <> 0 ->
  pair_width a H -> 0 < k < H -> exists L0, forall L, (L0 <= L)%nat -> attains a L k.
Proof.
  intros P C D Cu W [K0 KH].
  assert (E : exists p q, p < q /\ k < (q - p) * sqrt (slope a p * slope a q)).
  { apply NNPP. intros N. apply (Rlt_not_le _ _ KH), W. intros j (p & q & L & ->).
    apply Rnot_lt_le. intros J. destruct L as [L | ->].
    - apply N. now exists p, q.
    - unfold Rminus in J. rewrite Rplus_opp_r, Rmult_0_l in J. lra. }
  destruct E as (p & q & L & J). now apply (deep_chains_attain a P C z curvature D Cu p q).
Qed.

(* H is the least constant that bounds the widths at all depths; so depth widens exactly if one neuron's constant is less. *)
Theorem H_is_the_least a z curvature H k :
  class_N a -> (forall z, continuous (slope a) z) -> is_derive (slope a) z curvature -> curvature <> 0 ->
  pair_width a H -> 0 < k ->
  (forall parameters c x y, parameters <> [] -> let f' := gradient (uniform a parameters) in
     0 < c -> c < Rabs (f' x) -> c < Rabs (f' y) -> Rabs (x - y) <= k / c) <-> H <= k.
Proof.
  intros N C D Cu W K0.
  assert (P : forall z, 0 < slope a z) by (intros; now apply class_N_slope_positive). split.
  - intros B. apply Rnot_lt_le. intros L.
    destruct (deep_chains_approach_H a z curvature H ((k + H) / 2) P C D Cu W ltac:(lra)) as [L0 A].
    destruct (A (S L0) ltac:(lia) 1 ((H - k) / 2) Rlt_0_1 ltac:(lra)) as (parameters & x & y & Len & X & Y & E).
    specialize (B parameters 1 x y ltac:(intros ->; discriminate) Rlt_0_1 X Y).
    replace ((k + H) / 2 / 1 - (H - k) / 2) with k in E by field. lra.
  - intros L parameters c x y Ne f' Hc X Y. left.
    apply (width_of_pair_bound f'); [exact K0 | | exact Hc | exact X | exact Y].
    intros p q. pose proof (width_at_most_H a H parameters p q N W Ne) as T. cbv zeta in T. fold f' in T.
    replace ((q - p) ^ 2) with ((p - q) ^ 2) by ring. apply Rle_trans with (1 := T).
    apply pow_incr. split; [now apply pair_width_nonnegative with a | exact L].
Qed.
